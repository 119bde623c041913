"""A template of an Alimtalk as it comes in."""

from typing import Any

import strawberry
from strawberry.scalars import JSON

from channels.alimtalk.findings import Path
from channels.alimtalk.reading import read_template
from channels.alimtalk.template import OTHER_CATEGORY, Template
from server.resolvers.refusals import Invalid

from .alimtalk_words import AlimtalkButtonType, AlimtalkEmphasis, AlimtalkMessageType
from .spelling import Data, to_spelled, to_spelled_path, to_stored


@strawberry.input(description="Where a tap on the message leads, by what it is tapped on (대표 링크).")
class AlimtalkLinkInput:
    mobile: str = strawberry.field(default="", description="A web page, on a phone.")
    pc: str = strawberry.field(default="", description="A web page, on a computer.")
    android: str = strawberry.field(default="", description="A place in an app, on Android.")
    ios: str = strawberry.field(default="", description="A place in an app, on iOS.")


@strawberry.input(description="A button of an Alimtalk, or a quick reply.")
class AlimtalkButtonInput:
    type: AlimtalkButtonType = strawberry.field(description="What it does.")
    name: str = strawberry.field(description="What stands on it: up to 14 characters, no variables.")
    link_mobile: str = strawberry.field(default="", description="A web page, on a phone (WL, AL).")
    link_pc: str = strawberry.field(default="", description="A web page, on a computer (WL).")
    scheme_android: str = strawberry.field(default="", description="A place in an app, on Android (AL).")
    scheme_ios: str = strawberry.field(default="", description="A place in an app, on iOS (AL).")
    chat_extra: str = strawberry.field(
        default="", description="Handed to the consultant (BC) or to the bot (BT)."
    )
    chat_event: str = strawberry.field(default="", description="The event of the bot (BT).")
    target: str = strawberry.field(default="", description="`out` opens a web page outside of KakaoTalk.")
    phone: str = strawberry.field(default="", description="Whom it calls (TN).")
    form_id: str = strawberry.field(default="", description="The business form (BF).")
    plugin_id: str = strawberry.field(default="", description="The plug-in (P1, P2).")
    one_click_id: str = strawberry.field(default="", description="The payment (P3).")
    product_id: str = strawberry.field(default="", description="The product to pay for (P3).")


@strawberry.input(description="A line of an item list, or its summary.")
class AlimtalkItemInput:
    title: str = strawberry.field(description="Up to 6 characters, no variables.")
    description: str = strawberry.field(
        description="Up to 23 characters; an amount of up to 14 in the summary."
    )


@strawberry.input(description="A picture as the relay keeps it: `uploadAlimtalkImage` gives it.")
class AlimtalkImageInput:
    name: str = strawberry.field(default="", description="The name of its file.")
    url: str = strawberry.field(default="", description="Where the relay keeps it.")
    width: int = strawberry.field(default=0, description="In pixels; 0 if it is not known.")
    height: int = strawberry.field(default=0, description="In pixels; 0 if it is not known.")
    size: int = strawberry.field(default=0, description="In bytes; 0 if it is not known.")
    media_type: str = strawberry.field(default="", description="`image/png` or `image/jpeg`.")


@strawberry.input(description="The first thing of an item list, larger than the rest.")
class AlimtalkHighlightInput:
    title: str = strawberry.field(description="Up to 30 characters, 21 beside a picture.")
    description: str = strawberry.field(description="Up to 19 characters, 13 beside a picture.")
    image: AlimtalkImageInput | None = strawberry.field(default=None, description="A square picture.")


@strawberry.input(
    description="What a template of an Alimtalk says. Texts may hold variables as `#{이름}`; "
    "`lintAlimtalk` tells what is wrong with it."
)
class AlimtalkTemplateInput:
    body: str = strawberry.field(description="The text of the message.")
    name: str = strawberry.field(default="", description="What people call it; recipients do not see it.")
    message_type: AlimtalkMessageType = strawberry.field(
        default=AlimtalkMessageType.BA, description="What it has besides the body."
    )
    emphasis: AlimtalkEmphasis = strawberry.field(
        default=AlimtalkEmphasis.NONE, description="What it shows above the body."
    )
    extra: str = strawberry.field(
        default="", description="Additional information, without variables (EX, MI)."
    )
    title: str = strawberry.field(default="", description="The large title (TEXT).")
    subtitle: str = strawberry.field(
        default="", description="The small line above the title, without variables (TEXT)."
    )
    header: str = strawberry.field(default="", description="The line above the items (ITEM_LIST).")
    highlight: AlimtalkHighlightInput | None = strawberry.field(
        default=None, description="The first thing of the list (ITEM_LIST)."
    )
    items: list[AlimtalkItemInput] = strawberry.field(
        default_factory=list, description="The lines of the list, 2 to 10 (ITEM_LIST)."
    )
    summary: AlimtalkItemInput | None = strawberry.field(
        default=None, description="The sum below the lines (ITEM_LIST)."
    )
    image: AlimtalkImageInput | None = strawberry.field(default=None, description="The picture (IMAGE).")
    link: AlimtalkLinkInput | None = strawberry.field(
        default=None, description="Where a tap on the message leads."
    )
    buttons: list[AlimtalkButtonInput] = strawberry.field(
        default_factory=list, description="The buttons in their order: up to 5, 2 beside quick replies."
    )
    quick_replies: list[AlimtalkButtonInput] = strawberry.field(
        default_factory=list, description="Answers to tap (바로연결): WL, AL, BK, BC, BT and BF, up to 10."
    )
    category: str = strawberry.field(
        default=OTHER_CATEGORY, description="The code of its category; one without is reviewed last."
    )
    is_secure: bool = strawberry.field(
        default=False, description="Whether its text shows on the main device only."
    )
    more: JSON | None = strawberry.field(
        default=None, description="An object that only the relay understands, as it told it."
    )


def to_data(given: AlimtalkTemplateInput) -> Data:
    """The plain data of what came in, by the names of the records' fields."""
    found: Data = to_stored(given, AlimtalkTemplateInput)
    return found


def to_template(given: AlimtalkTemplateInput, *path: str) -> Template:
    """The template that came in at this place. Raises Invalid."""
    data = to_data(given)
    template, findings = read_template(data)
    if template is None or findings:
        raise Invalid(findings[0].message_en, (*path, *to_input_path(findings[0].path, data)))
    return template


def to_input_path(path: Path, data: Data) -> list[str]:
    """Where in the input a finding lies."""
    return to_spelled_path(path, data, AlimtalkTemplateInput)


def to_given(data: Data) -> Any:
    """What would have to come in for this to be stored, as JSON. Raises ValueError where it cannot."""
    return to_spelled(data, AlimtalkTemplateInput)
