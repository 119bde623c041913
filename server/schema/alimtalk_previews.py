"""What a template looks like to whoever gets it."""

from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from channels.alimtalk.bubble import Bubble, Part, PartKind, Tap, bubble_of
from channels.alimtalk.bubble.html import draw_html
from channels.alimtalk.bubble.svg import draw_svg
from server.errors import BadInput
from server.resolvers import alimtalk_previews as resolve
from server.resolvers.alimtalk_previews import Draft
from server.resolvers.alimtalk_values import Reader
from server.resolvers.refusals import Refusal
from server.store.users import UserKey

from .alimtalk_content import AlimtalkLink
from .alimtalk_inputs import AlimtalkTemplateInput, to_template
from .fields import field
from .ids import key_in
from .info import Info
from .words import value


@strawberry.enum(description="What a part of an Alimtalk is.")
class AlimtalkPartKind(Enum):
    IMAGE = value(PartKind.IMAGE, description="A picture.")
    HEADER = value(PartKind.HEADER, description="The line above a list.")
    SUBTITLE = value(PartKind.SUBTITLE, description="The small line above the emphasised one.")
    TITLE = value(PartKind.TITLE, description="The emphasised line.")
    HIGHLIGHT = value(PartKind.HIGHLIGHT, description="The first thing of a list, larger than the rest.")
    ITEM = value(PartKind.ITEM, description="A line of a list.")
    SUMMARY = value(PartKind.SUMMARY, description="The last line of a list, e.g. the sum.")
    BODY = value(PartKind.BODY, description="The text.")
    EXTRA = value(PartKind.EXTRA, description="Additional information.")
    AD_NOTICE = value(PartKind.AD_NOTICE, description="KakaoTalk's own words that invite to the channel.")


@strawberry.type(description="A part of an Alimtalk, as people see it.")
class AlimtalkPart:
    kind: AlimtalkPartKind = strawberry.field(description="What it is.")
    text: str = strawberry.field(description="What it says; of lines and highlights the title.")
    description: str = strawberry.field(description="Of lines and highlights what stands beside the title.")
    url: str = strawberry.field(description="Where its picture is; empty for none.")
    is_cut: bool = strawberry.field(description="Whether a telephone shows its beginning only.")
    on_android: str = strawberry.field(description="What Android shows of the text.")
    on_ios: str = strawberry.field(description="What iOS shows of the text.")

    @classmethod
    def from_record(cls, record: Part) -> "AlimtalkPart":
        shown = record.shown
        return cls(
            kind=AlimtalkPartKind(record.kind.value),
            text=record.text,
            description=record.description,
            url=record.url,
            is_cut=record.is_cut,
            on_android=shown.android,
            on_ios=shown.ios,
        )


@strawberry.type(description="A button or a quick reply, as people see it.")
class AlimtalkTap:
    type: str = strawberry.field(description="What it does, as in `AlimtalkButtonType`.")
    name: str = strawberry.field(description="What stands on it.")
    link: AlimtalkLink = strawberry.field(description="Where it leads.")
    phone: str = strawberry.field(description="Whom it calls; empty for nobody.")

    @classmethod
    def from_record(cls, record: Tap) -> "AlimtalkTap":
        link = AlimtalkLink.from_record(record.link)
        return cls(type=record.type, name=record.name, link=link, phone=record.phone)


@strawberry.type(description="A variable that could not be filled, and why.")
class AlimtalkValueProblem:
    name: str = strawberry.field(description="The variable.")
    message: str = strawberry.field(description="What is wrong with the text that fills it.")


@strawberry.type(description="An Alimtalk as its reader would see it.")
class AlimtalkPreview:
    record: strawberry.Private[Bubble]
    sender: str = strawberry.field(description="The channel that it comes from; empty if not known.")
    parts: list[AlimtalkPart] = strawberry.field(
        description="From top to bottom.", metadata={"list_size": 15}
    )
    buttons: list[AlimtalkTap] = strawberry.field(description="In order.", metadata={"list_size": 5})
    quick_replies: list[AlimtalkTap] = strawberry.field(description="In order.", metadata={"list_size": 10})
    link: AlimtalkLink | None = strawberry.field(description="Where a tap on all of it leads.")
    is_secure: bool = strawberry.field(description="Whether only the main device shows its text.")
    unfilled: list[str] = strawberry.field(
        description="Variables that have no value yet; their names stand in the texts.",
        metadata={"list_size": 40},
    )
    problems: list[AlimtalkValueProblem] = strawberry.field(
        description="Variables whose values cannot be written.", metadata={"list_size": 40}
    )

    @field("The bubble as a piece of HTML: safe to put into a page, with its own style and no script.")
    def html(self) -> str:
        return draw_html(self.record)

    @field("The bubble as a picture in SVG; instead of pictures it shows where they stand.")
    def svg(self) -> str:
        return draw_svg(self.record)

    @classmethod
    def from_record(cls, record: Bubble, problems: dict[str, str]) -> "AlimtalkPreview":
        return cls(
            record=record,
            sender=record.sender,
            parts=[AlimtalkPart.from_record(one) for one in record.parts],
            buttons=[AlimtalkTap.from_record(one) for one in record.buttons],
            quick_replies=[AlimtalkTap.from_record(one) for one in record.quick_replies],
            link=AlimtalkLink.from_record(record.link) if record.link else None,
            is_secure=record.is_secure,
            unfilled=list(record.unfilled),
            problems=[AlimtalkValueProblem(name=name, message=text) for name, text in problems.items()],
        )


@strawberry.type(description="What can be looked at before anything is sent.")
class AlimtalkPreviewQuery:
    @field("An Alimtalk as its reader would see it: of a template here, or of one of the project's.", cost=20)
    async def preview_alimtalk(
        self,
        info: Info,
        template: Annotated[
            AlimtalkTemplateInput | None, strawberry.argument(description="What it says; or else `key`.")
        ] = None,
        key: Annotated[
            str | None, strawberry.argument(description="A template of the project; or else `template`.")
        ] = None,
        version: Annotated[
            int | None, strawberry.argument(description="Which version of it; the latest by default.")
        ] = None,
        values: Annotated[
            JSON | None, strawberry.argument(description="Values of variables by their names.")
        ] = None,
        user_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The user for whom the bindings fill the variables."),
        ] = None,
        properties: Annotated[
            JSON | None,
            strawberry.argument(description="Properties of the event, e.g. `coupon` and `row`."),
        ] = None,
        connection: Annotated[
            strawberry.ID | None, strawberry.argument(description="The connection that would send it.")
        ] = None,
    ) -> AlimtalkPreview:
        if (template is None) == (key is None):
            raise BadInput("One of `template` and `key` is wanted, and not both.")
        try:
            draft = await _draft(info, template, key, version)
            reader = Reader(_user(user_id), "", _object(properties, "properties"), _texts(values))
            filled = await resolve.filled(info.context, draft, reader)
            sender = await resolve.sender_of(info.context, _connection(connection)) if connection else ""
        except Refusal as error:
            raise BadInput(error.message) from error
        return AlimtalkPreview.from_record(bubble_of(filled.template, sender), dict(filled.problems))


async def _draft(
    info: Info, template: AlimtalkTemplateInput | None, key: str | None, version: int | None
) -> Draft:
    if template is not None:
        return Draft(to_template(template, "template"))
    return await resolve.draft_of(info.context, key or "", version)


def _user(id: strawberry.ID | None) -> UserKey | None:
    if id is None:
        return None
    shard, number = key_in(id, "User")
    return shard, number


def _connection(id: strawberry.ID) -> int:
    return key_in(id, "Connection")[0]


def _texts(values: Any) -> dict[str, str]:
    found = _object(values, "values")
    for name, text in found.items():
        if not isinstance(text, str):
            raise BadInput(f"`values`: the value of {name!r} is a text, found {type(text).__name__}.")
    return found


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput(f"`{name}` is an object, found {type(value).__name__}.")
    return value
