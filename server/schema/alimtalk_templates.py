"""Templates of Alimtalks, their versions, and how these stand at relays."""

from datetime import datetime
from typing import Annotated, Any

import orjson
import strawberry

from server.alimtalk.dormancy import seen, template_sleeps_at
from server.clock import Instant, to_datetime, to_datetime_if_any
from server.resolvers import alimtalk as resolve
from server.resolvers import alimtalk_checks, alimtalk_standings, connections
from server.store.paging import Slice

from .alimtalk_content import AlimtalkContent
from .alimtalk_declarations import AlimtalkDeclaration
from .alimtalk_lint import AlimtalkFinding
from .alimtalk_standing import AlimtalkAct, AlimtalkComment, AlimtalkInspection, AlimtalkOperation
from .connections import Connection
from .fields import field
from .ids import to_id
from .info import Info
from .named_texts import NamedText
from .nodes import Node
from .pages import After, Before, First, Last, PageInfo, cursor_of, page_info, page_of
from .words import word

ORDER = "alimtalk_templates"


@strawberry.type(description="A version of a template at a relay: under which code, and how it stands there.")
class AlimtalkRegistration(Node):
    record: strawberry.Private[Any]
    version: int = strawberry.field(description="The number of the version.")
    code: str | None = strawberry.field(
        description="The relay's code, by which it is sent; null until it is known."
    )
    inspection: AlimtalkInspection = strawberry.field(description="How far its review is.")
    operation: AlimtalkOperation = strawberry.field(description="Whether it is in use.")
    is_blocked: bool = strawberry.field(description="Whether KakaoTalk has sanctioned it.")
    is_dormant: bool = strawberry.field(description="Whether it fell asleep after a year without a message.")
    is_replaced: bool = strawberry.field(description="Whether a later version has taken its place.")
    waits_for: AlimtalkAct | None = strawberry.field(
        description="What the relay was asked and has not answered; null for nothing."
    )
    requested_at: datetime | None = strawberry.field(description="When its review was last asked for.")
    decided_at: datetime | None = strawberry.field(description="When it was last approved or rejected.")
    released_at: datetime | None = strawberry.field(description="When it was last woken.")
    first_sent_at: datetime | None = strawberry.field(description="When it was first sent by us.")
    last_sent_at: datetime | None = strawberry.field(description="When it was last sent, to the hour.")
    told_at: datetime | None = strawberry.field(
        description="As of when all this is true; null while the relay has told nothing."
    )

    @classmethod
    def from_record(cls, record: Any) -> "AlimtalkRegistration":
        times = ("requested_at", "decided_at", "released_at", "first_sent_at", "last_sent_at")
        return cls(
            id=to_id("AlimtalkRegistration", record.id),
            record=record,
            version=record.number,
            code=record.code or None,
            inspection=AlimtalkInspection(record.inspection),
            operation=AlimtalkOperation(record.operation),
            is_blocked=bool(record.is_blocked),
            is_dormant=bool(record.is_dormant),
            is_replaced=bool(record.is_replaced),
            waits_for=word(AlimtalkAct, record.intent, AlimtalkAct.OTHER) if record.intent else None,
            told_at=to_datetime_if_any(record.told_at or None),
            **{name: to_datetime_if_any(getattr(record, name)) for name in times},
        )

    @field("The relay; null once the connection is gone.")
    async def connection(self, info: Info) -> Connection | None:
        found = await connections.by_id(info.context, self.record.connection_id)
        return Connection.from_record(found) if found else None

    @field("Whether messages can be sent by it now; its sender profile may forbid it, too.")
    async def is_sendable(self, info: Info) -> bool:
        return await alimtalk_standings.is_sendable(info.context, self.record)

    @field("When it falls asleep unless a message is sent; null while it is not approved.")
    def dormant_at(self) -> datetime | None:
        return to_datetime_if_any(_sleeps_at(self.record))

    @field("What can be asked of the relay now.", list_size=5)
    async def allowed_acts(self, info: Info) -> list[AlimtalkAct]:
        found = await alimtalk_standings.acts(info.context, self.record)
        return [word(AlimtalkAct, one.value, AlimtalkAct.OTHER) for one in found]

    @field("What was said in its reviews, in its order.", list_size=10)
    async def comments(self, info: Info) -> list[AlimtalkComment]:
        found = await alimtalk_standings.comments(info.context, self.record.id)
        return [AlimtalkComment.from_record(one) for one in found]

    @field("The template that it is of.")
    async def template(self, info: Info) -> "AlimtalkTemplate":
        found = await resolve.by_id(info.context, self.record.template_id)
        return AlimtalkTemplate.from_record(found)


def _sleeps_at(record: Any) -> Instant | None:
    if record.inspection != "approved" or record.is_dormant or record.is_replaced:
        return None
    return template_sleeps_at(
        approved_at=seen(record.decided_at, record.created_at),
        released_at=record.released_at,
        last_sent_at=record.last_sent_at,
    )


@strawberry.type(
    description="A version of a template. Once its review was asked for, its text never changes."
)
class AlimtalkTemplateVersion:
    record: strawberry.Private[Any]
    number: int = strawberry.field(description="Counted from 1.")
    created_at: datetime = strawberry.field(description="When it was begun.")
    changed_at: datetime = strawberry.field(description="When it was last changed.")
    submitted_at: datetime | None = strawberry.field(
        description="When its review was first asked for anywhere; null until then."
    )

    @classmethod
    def from_record(cls, record: Any) -> "AlimtalkTemplateVersion":
        return cls(
            record=record,
            number=record.number,
            created_at=to_datetime(record.created_at),
            changed_at=to_datetime(record.changed_at),
            submitted_at=to_datetime_if_any(record.submitted_at),
        )

    @field("What it says.")
    def content(self) -> AlimtalkContent:
        return AlimtalkContent.from_template(resolve.content_of(self.record))

    @field("What fills its variables, where a step says nothing else.", list_size=5)
    def bindings(self) -> list[NamedText]:
        found = resolve.bindings_of(self.record)
        return [NamedText(name=name, value=source) for name, source in found.items()]

    @field("What is declared of it.")
    def declaration(self) -> AlimtalkDeclaration:
        return AlimtalkDeclaration.from_record(resolve.declaration_of(self.record))

    @field(
        "What is wrong with it by KakaoTalk's own limits, in the order of the rules.", list_size=10, cost=20
    )
    def findings(self) -> list[AlimtalkFinding]:
        data = orjson.loads(self.record.content)
        return [AlimtalkFinding.from_record(one, data) for one in alimtalk_checks.findings(self.record)]

    @field("How it stands at each relay.", list_size=3)
    async def registrations(self, info: Info) -> list[AlimtalkRegistration]:
        found = await resolve.registrations(info.context, self.record.template_id)
        return [AlimtalkRegistration.from_record(one) for one in found if one.number == self.number]


@strawberry.type(description="A template of Alimtalks (알림톡 템플릿); message steps name it by its key.")
class AlimtalkTemplate(Node):
    record: strawberry.Private[Any]
    key: str = strawberry.field(description="The key by which steps name it.")
    name: str = strawberry.field(description="What people call it.")
    created_at: datetime = strawberry.field(description="When it was first saved, or found at a relay.")
    changed_at: datetime = strawberry.field(description="When it was last changed.")
    archived_at: datetime | None = strawberry.field(description="When it was put away; null if it is not.")

    @classmethod
    def from_record(cls, record: Any) -> "AlimtalkTemplate":
        return cls(
            id=to_id("AlimtalkTemplate", record.id),
            record=record,
            key=record.key,
            name=record.name,
            created_at=to_datetime(record.created_at),
            changed_at=to_datetime(record.changed_at),
            archived_at=to_datetime_if_any(record.archived_at),
        )

    @field("Its versions, the newest first.", list_size=5)
    async def versions(self, info: Info) -> list[AlimtalkTemplateVersion]:
        found = await resolve.versions(info.context, self.record.id)
        return [AlimtalkTemplateVersion.from_record(one) for one in found]

    @field("Its newest version.")
    async def latest(self, info: Info) -> AlimtalkTemplateVersion:
        found = await resolve.versions(info.context, self.record.id)
        return AlimtalkTemplateVersion.from_record(found[0])

    @field("How its versions stand at relays, those of the newest first.", list_size=5)
    async def registrations(self, info: Info) -> list[AlimtalkRegistration]:
        found = await resolve.registrations(info.context, self.record.id)
        return [AlimtalkRegistration.from_record(one) for one in found]

    @field("Whether any version of it can be sent now, at any relay.")
    async def is_sendable(self, info: Info) -> bool:
        known = await alimtalk_standings.known(info.context, self.key)
        return known is not None and known.is_sendable


@strawberry.type(description="A template and its place in the list.")
class AlimtalkTemplateEdge:
    node: AlimtalkTemplate = strawberry.field(description="The template.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of templates.")
class AlimtalkTemplateConnection:
    edges: list[AlimtalkTemplateEdge] = strawberry.field(description="The page, by key.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def from_slice(cls, found: Slice) -> "AlimtalkTemplateConnection":
        edges = [
            AlimtalkTemplateEdge(
                node=AlimtalkTemplate.from_record(row), cursor=cursor_of(ORDER, row.key, row.id)
            )
            for row in found.rows
        ]
        return cls(edges=edges, page_info=page_info(found, [edge.cursor for edge in edges]))


@strawberry.input(description="Which templates. What is left out does not matter.")
class AlimtalkTemplateFilter:
    search: str = strawberry.field(default="", description="Part of the key or of the name.")
    inspection: AlimtalkInspection | None = strawberry.field(
        default=None, description="How far the review of the newest version is, at any relay."
    )
    is_archived: bool = strawberry.field(default=False, description="Those put away, or the others.")


@strawberry.type(description="What can be asked about templates of Alimtalks.")
class AlimtalkQuery:
    @field("The project's templates of Alimtalks, by key.")
    async def alimtalk_templates(
        self,
        info: Info,
        filter: Annotated[
            AlimtalkTemplateFilter | None, strawberry.argument(description="Which; all in use by default.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AlimtalkTemplateConnection:
        asked = filter or AlimtalkTemplateFilter()
        wanted = resolve.Wanted(
            asked.search, asked.inspection.value if asked.inspection else None, asked.is_archived
        )
        page = page_of(ORDER, first, after, last, before)
        return AlimtalkTemplateConnection.from_slice(await resolve.page(info.context, wanted, page))

    @field("The template of this key; null if there is none in this project.")
    async def alimtalk_template(
        self, info: Info, key: Annotated[str, strawberry.argument(description="Its key.")]
    ) -> AlimtalkTemplate | None:
        found = await resolve.by_key(info.context, key)
        return AlimtalkTemplate.from_record(found) if found else None
