"""Users: who they are, how they are reached, and the ways they have gone."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import orjson
import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime, to_datetime_if_any
from server.resolvers import commerce, consents, records, user_paths
from server.resolvers import users as resolve
from server.resolvers.users import Wanted

from .fields import field
from .ids import to_id
from .info import Info
from .nodes import Node
from .pages import After, Before, First, Last, page_of
from .runs import ORDER, Run, RunConnection
from .words import ChannelName, EndpointState, IdentityKind, word

if TYPE_CHECKING:
    from .commerce import OrderConnection, UserLife
    from .consents import Consent
    from .coupons import Coupon


@strawberry.type(description="A value that leads to a user.")
class Identity:
    kind: IdentityKind = strawberry.field(description="What kind of value it is.")
    value: str = strawberry.field(description="The value.")
    created_at: datetime = strawberry.field(description="When it was first seen with this user.")


@strawberry.type(description="One address of a user on one channel.")
class Endpoint:
    channel: ChannelName = strawberry.field(description="The channel.")
    address: str = strawberry.field(
        description="The address; that of a device begins with whose it is, e.g. `fcm:`."
    )
    state: EndpointState = strawberry.field(description="Whether it can be written to.")
    is_current: bool = strawberry.field(
        description="Whether it is written to: one address of a channel, or several devices."
    )
    changed_at: datetime = strawberry.field(
        description="When its state last changed; that of a device also when it was heard of."
    )
    because: str | None = strawberry.field(description="What changed it.")
    reached_at: datetime | None = strawberry.field(
        description="The latest that something is known to have arrived there."
    )


@strawberry.type(description="One person.")
class User(Node):
    record: strawberry.Private[records.User]
    user_id: str | None = strawberry.field(
        description="The id by which the project knows it; null if anonymous."
    )
    created_at: datetime = strawberry.field(description="When it was first heard of.")
    erased_at: datetime | None = strawberry.field(
        description="Since when nothing is known of the person any more; null for everybody else."
    )

    @classmethod
    def from_record(cls, record: records.User) -> "User":
        return cls(
            id=to_id("User", record.shard, record.number),
            record=record,
            user_id=record.user_id,
            created_at=to_datetime(record.created_at),
            erased_at=to_datetime_if_any(record.erased_at),
        )

    @field("What is known of it.")
    def attributes(self) -> JSON:
        return JSON(orjson.loads(self.record.attributes))

    @field("Every value that leads to it, the first seen first.", list_size=4)
    async def identities(self, info: Info) -> list[Identity]:
        found = await resolve.identities(info.context, (self.record.shard, self.record.number))
        return [
            Identity(kind=IdentityKind(one.kind), value=one.value, created_at=to_datetime(one.created_at))
            for one in found
        ]

    @field("Its addresses, those in use first.", list_size=3)
    async def endpoints(self, info: Info) -> list[Endpoint]:
        found = await resolve.endpoints(info.context, (self.record.shard, self.record.number))
        return [_endpoint(one) for one in found]

    @field("What it has decided, by channel and purpose.", list_size=6)
    async def consents(
        self, info: Info
    ) -> list[Annotated["Consent", strawberry.lazy("server.schema.consents")]]:
        from .consents import Consent

        found = await consents.of_user(info.context, (self.record.shard, self.record.number))
        return [Consent.from_record(one) for one in found]

    @field("Its life in figures: visits, orders, what it has spent.")
    async def life(self, info: Info) -> Annotated["UserLife", strawberry.lazy("server.schema.commerce")]:
        from .commerce import UserLife

        return UserLife(known=await commerce.life(info.context, (self.record.shard, self.record.number)))

    @field("Its orders, the latest first.")
    async def orders(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Annotated["OrderConnection", strawberry.lazy("server.schema.commerce")]:
        from .commerce import ORDER as BY_TIME
        from .commerce import OrderConnection

        page = page_of(BY_TIME, first, after, last, before)
        key = (self.record.shard, self.record.number)
        return OrderConnection.from_slice(await commerce.orders(info.context, key, page))

    @field("Its coupons, used ones too, those that end first before others; at most 200.", list_size=20)
    async def coupons(
        self, info: Info
    ) -> list[Annotated["Coupon", strawberry.lazy("server.schema.coupons")]]:
        from .coupons import Coupon

        found = await commerce.coupons(info.context, (self.record.shard, self.record.number))
        return [Coupon.from_record(one, info.context.clock.now()) for one in found]

    @field("Its runs, the latest to enter first; also those of users who turned out to be it.")
    async def runs(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> RunConnection:
        page = page_of(ORDER, first, after, last, before)
        key = (self.record.shard, self.record.number)
        return RunConnection.from_slice(await resolve.runs_page(info.context, key, page))


def _endpoint(record: records.Endpoint) -> Endpoint:
    return Endpoint(
        channel=word(ChannelName, record.channel, ChannelName.OTHER),
        address=record.address,
        state=word(EndpointState, record.state, EndpointState.INVALID),
        is_current=bool(record.is_current),
        changed_at=to_datetime(record.changed_at),
        because=record.because or None,
        reached_at=to_datetime_if_any(record.reached_at),
    )


@strawberry.input(one_of=True, description="One thing that leads to a user.")
class IdentityInput:
    user_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The id by which the project knows it."
    )
    anonymous_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The id of a device or browser (HWID)."
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="An e-mail address, also one that the user had earlier."
    )
    phone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="A telephone number, also one that the user had earlier. Without a country it is dialled "
        "in the country of the project's time zone.",
    )
    token: str | None = strawberry.field(
        default=strawberry.UNSET, description="The push token of a device, with or without whose it is."
    )


def to_wanted(identity: IdentityInput) -> Wanted:
    return next(
        Wanted(kind, value) for kind, value in vars(identity).items() if value is not strawberry.UNSET
    )


@strawberry.type(description="A person's runs in one journey, in the order in which they entered.")
class UserPaths:
    found: strawberry.Private[user_paths.Found]
    user: User = strawberry.field(description="The person.")
    runs: list[Run] = strawberry.field(
        description="Its latest 100 runs, also those of users who turned out to be it.",
        metadata={"list_size": 5},
    )
    has_earlier_runs: bool = strawberry.field(
        description="Whether there are runs before these; `allRuns` pages through all of them."
    )
    former_runs: int = strawberry.field(
        description="How many runs there were before of which only figures are kept."
    )
    others: list[User] = strawberry.field(
        description="Whoever else has or had the address that was asked for; ask for them by their ids.",
        metadata={"list_size": 2},
    )

    @field("All of its runs in this journey, in pages, the latest to enter first.")
    async def all_runs(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> RunConnection:
        page = page_of(ORDER, first, after, last, before)
        return RunConnection.from_slice(await user_paths.page(info.context, self.found, page))


@strawberry.type(description="Nobody in this project has this identity.")
class UnknownIdentity:
    message: str = strawberry.field(description="The same in words.")


@strawberry.type(description="The person is known, and has never entered this journey.")
class NeverEntered:
    user: User = strawberry.field(description="The person.")
    message: str = strawberry.field(description="The same in words.")


@strawberry.type(description="The person was in this journey so long ago that only figures are kept of it.")
class PathsNotKept:
    user: User = strawberry.field(description="The person.")
    former_runs: int = strawberry.field(description="How many runs there were.")
    kept_since: datetime | None = strawberry.field(description="Since when all paths are kept.")
    message: str = strawberry.field(description="The same in words.")


UserPathsResult = Annotated[
    UserPaths | UnknownIdentity | NeverEntered | PathsNotKept,
    strawberry.union(
        "UserPathsResult", description="The ways of a person through a journey, or why there are none."
    ),
]


def to_paths(
    found: user_paths.Found | None,
) -> UserPaths | UnknownIdentity | NeverEntered | PathsNotKept:
    if found is None:
        return UnknownIdentity(message="Nobody in this project has this identity.")
    user = User.from_record(found.user)
    if not found.runs and found.former_runs:
        return PathsNotKept(
            user=user,
            former_runs=found.former_runs,
            kept_since=to_datetime_if_any(found.kept_since),
            message="This person was in this journey so long ago that only figures are kept of it.",
        )
    if not found.runs:
        return NeverEntered(user=user, message="This person has never entered this journey.")
    return UserPaths(
        found=found,
        former_runs=found.former_runs,
        others=[User.from_record(one) for one in found.others],
        user=user,
        runs=[Run.from_record(run) for run in found.runs],
        has_earlier_runs=found.has_earlier,
    )
