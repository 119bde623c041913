"""What an Alimtalk says: a template, or one filled for a recipient."""

from dataclasses import asdict

import strawberry
from strawberry.scalars import JSON

from channels.alimtalk.filling import variables_of
from channels.alimtalk.template import Button, Highlight, Image, Item, Link, Template

from .alimtalk_words import AlimtalkEmphasis, AlimtalkMessageType
from .words import word


@strawberry.type(description="Where a tap on the message leads, by what it is tapped on (대표 링크).")
class AlimtalkLink:
    mobile: str = strawberry.field(description="A web page, on a phone; empty for none.")
    pc: str = strawberry.field(description="A web page, on a computer; empty for none.")
    android: str = strawberry.field(description="A place in an app, on Android; empty for none.")
    ios: str = strawberry.field(description="A place in an app, on iOS; empty for none.")

    @classmethod
    def from_record(cls, record: Link) -> "AlimtalkLink":
        return cls(**asdict(record))


@strawberry.type(description="A button of an Alimtalk, or a quick reply. What it has nothing of is empty.")
class AlimtalkButton:
    type: str = strawberry.field(description="What it does: a word of `AlimtalkButtonType`, or a newer one.")
    name: str = strawberry.field(description="What stands on it.")
    link_mobile: str = strawberry.field(description="A web page, on a phone.")
    link_pc: str = strawberry.field(description="A web page, on a computer.")
    scheme_android: str = strawberry.field(description="A place in an app, on Android.")
    scheme_ios: str = strawberry.field(description="A place in an app, on iOS.")
    chat_extra: str = strawberry.field(description="Handed to the consultant or to the bot.")
    chat_event: str = strawberry.field(description="The event of the bot.")
    target: str = strawberry.field(description="`out` opens a web page outside of KakaoTalk.")
    phone: str = strawberry.field(description="Whom it calls.")
    form_id: str = strawberry.field(description="The business form.")
    plugin_id: str = strawberry.field(description="The plug-in.")
    one_click_id: str = strawberry.field(description="The payment.")
    product_id: str = strawberry.field(description="The product to pay for.")

    @classmethod
    def from_record(cls, record: Button) -> "AlimtalkButton":
        return cls(**asdict(record))


@strawberry.type(description="A line of an item list, or its summary.")
class AlimtalkItem:
    title: str = strawberry.field(description="What it is.")
    description: str = strawberry.field(description="What there is of it.")

    @classmethod
    def from_record(cls, record: Item) -> "AlimtalkItem":
        return cls(title=record.title, description=record.description)


@strawberry.type(description="A picture as the relay keeps it.")
class AlimtalkImage:
    name: str = strawberry.field(description="The name of its file.")
    url: str = strawberry.field(description="Where the relay keeps it.")
    width: int | None = strawberry.field(description="In pixels; null if it is not known.")
    height: int | None = strawberry.field(description="In pixels; null if it is not known.")
    size: int | None = strawberry.field(description="In bytes; null if it is not known.")
    media_type: str = strawberry.field(description="What kind of picture; empty if it is not known.")

    @classmethod
    def from_record(cls, record: Image) -> "AlimtalkImage":
        return cls(
            name=record.name,
            url=record.url,
            width=record.width or None,
            height=record.height or None,
            size=record.size or None,
            media_type=record.media_type,
        )


@strawberry.type(description="The first thing of an item list, larger than the rest.")
class AlimtalkHighlight:
    title: str = strawberry.field(description="The large text.")
    description: str = strawberry.field(description="The small text.")
    image: AlimtalkImage | None = strawberry.field(description="A square picture beside it.")

    @classmethod
    def from_record(cls, record: Highlight) -> "AlimtalkHighlight":
        image = AlimtalkImage.from_record(record.image) if record.image else None
        return cls(title=record.title, description=record.description, image=image)


@strawberry.type(description="What an Alimtalk says: a template, or one filled for a recipient.")
class AlimtalkContent:
    name: str = strawberry.field(description="What people call it; recipients do not see it.")
    body: str = strawberry.field(description="The text of the message.")
    message_type: AlimtalkMessageType = strawberry.field(description="What it has besides the body.")
    emphasis: AlimtalkEmphasis = strawberry.field(description="What it shows above the body.")
    extra: str = strawberry.field(description="Additional information; empty for none.")
    title: str = strawberry.field(description="The large title; empty for none.")
    subtitle: str = strawberry.field(description="The small line above the title; empty for none.")
    header: str = strawberry.field(description="The line above the items; empty for none.")
    highlight: AlimtalkHighlight | None = strawberry.field(description="The first thing of the list.")
    items: list[AlimtalkItem] = strawberry.field(
        description="The lines of the list.", metadata={"list_size": 5}
    )
    summary: AlimtalkItem | None = strawberry.field(description="The sum below the lines.")
    image: AlimtalkImage | None = strawberry.field(description="The picture.")
    link: AlimtalkLink | None = strawberry.field(description="Where a tap on the message leads.")
    buttons: list[AlimtalkButton] = strawberry.field(
        description="The buttons, in their order.", metadata={"list_size": 3}
    )
    quick_replies: list[AlimtalkButton] = strawberry.field(
        description="Answers to tap, in their order.", metadata={"list_size": 3}
    )
    category: str = strawberry.field(description="The code of its category.")
    is_secure: bool = strawberry.field(description="Whether its text shows on the main device only.")
    more: JSON = strawberry.field(description="What only the relay understands, as it told it.")
    variables: list[str] = strawberry.field(
        description="The names of its variables, each once, in the order in which they first stand."
    )

    @classmethod
    def from_template(cls, template: Template) -> "AlimtalkContent":
        return cls(
            name=template.name,
            body=template.body,
            message_type=word(AlimtalkMessageType, template.message_type, AlimtalkMessageType.BA),
            emphasis=word(AlimtalkEmphasis, template.emphasis, AlimtalkEmphasis.NONE),
            extra=template.extra,
            title=template.title,
            subtitle=template.subtitle,
            header=template.header,
            highlight=AlimtalkHighlight.from_record(template.highlight) if template.highlight else None,
            summary=AlimtalkItem.from_record(template.summary) if template.summary else None,
            image=AlimtalkImage.from_record(template.image) if template.image else None,
            link=AlimtalkLink.from_record(template.link) if template.link else None,
            items=[AlimtalkItem.from_record(one) for one in template.items],
            buttons=[AlimtalkButton.from_record(one) for one in template.buttons],
            quick_replies=[AlimtalkButton.from_record(one) for one in template.quick_replies],
            category=template.category,
            is_secure=template.is_secure,
            more=JSON(template.more),
            variables=list(variables_of(template)),
        )
