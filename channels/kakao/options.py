"""What an Alimtalk can carry besides its text: buttons and quick replies, in words that all relays share."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ButtonType = Literal["WL", "AL", "DS", "BK", "MD", "BC", "BT", "AC", "BF", "TN", "P1", "P2", "P3"]
QuickReplyType = Literal["WL", "AL", "BK", "BC", "BT", "BF"]
MOST_BUTTONS_WITH_QUICK_REPLIES = 2


class _Link(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=14, description="As registered with the template.")
    link_mobile: str = Field("", max_length=500)
    link_pc: str = Field("", max_length=500)
    scheme_android: str = Field("", max_length=500)
    scheme_ios: str = Field("", max_length=500)
    chat_extra: str = Field("", max_length=50, description="Handed to the consultant (BC) or the bot (BT).")
    chat_event: str = Field("", max_length=50, description="The event of the bot (BT).")
    target: Literal["", "out"] = Field("", description="out opens a web link outside of KakaoTalk.")
    form_id: str = Field("", max_length=100, description="The business form (BF).")

    def check_links(self, kind: str) -> None:
        if kind == "WL" and not self.link_mobile:
            raise ValueError("a web link (WL) wants link_mobile")
        if kind == "AL" and [self.link_mobile, self.scheme_android, self.scheme_ios].count("") > 1:
            raise ValueError("an app link (AL) wants two of link_mobile, scheme_android and scheme_ios")


class Button(_Link):
    """A button below the text: WL web link, AL app link, DS delivery, BK bot keyword, MD message, BC
    consultation, BT bot, AC add channel, BF form, TN call, P1 to P3 plug-ins."""

    type: ButtonType
    phone: str = Field("", max_length=14, description="Whom the call button (TN) calls.")
    plugin_id: str = Field("", max_length=100, description="Of a plug-in (P1, P2).")
    one_click_id: str = Field("", max_length=100, description="Of a payment plug-in (P3).")
    product_id: str = Field("", max_length=100, description="Of a payment plug-in (P3).")

    @model_validator(mode="after")
    def _reaches_something(self) -> Self:
        self.check_links(self.type)
        return self


class QuickReply(_Link):
    """An answer to tap, below the message."""

    type: QuickReplyType

    @model_validator(mode="after")
    def _reaches_something(self) -> Self:
        self.check_links(self.type)
        return self


class Line(BaseModel):
    """A line of an item list, or its summary."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    title: str = Field(max_length=50)
    description: str = Field(max_length=50)


class Highlight(Line):
    """The first thing of an item list."""

    image_url: str = Field("", max_length=500, description="Of its thumbnail, as registered.")


class TapLink(BaseModel):
    """Where a tap on the message leads."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mobile: str = Field("", max_length=500)
    pc: str = Field("", max_length=500)
    android: str = Field("", max_length=500)
    ios: str = Field("", max_length=500)


class AlimtalkOptions(BaseModel):
    """Options of an Alimtalk, the same with every relay.

    Buttons and quick replies stand in the order in which the template has them. A relay that renders the
    template itself knows them already; there they are wanted only for what changes from message to message.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    buttons: tuple[Button, ...] = Field((), max_length=5)
    quick_replies: tuple[QuickReply, ...] = Field((), max_length=10)
    header: str = Field("", max_length=16, description="Of a template with an item list.")
    highlight: Highlight | None = None
    items: tuple[Line, ...] = Field((), max_length=10)
    summary: Line | None = None
    link: TapLink | None = None

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if self.quick_replies and len(self.buttons) > MOST_BUTTONS_WITH_QUICK_REPLIES:
            raise ValueError("beside quick replies there is room for 2 buttons")
        return self
