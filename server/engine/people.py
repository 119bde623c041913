"""Whose event is it? Identities lead to users, and users turn out to be one.

The rules, in full in docs/decisions/0003-identity.md:

- An event with a user id belongs to that user; without, to the user of its anonymous id.
- A user id that comes up beside an anonymous id of a user without one names that user.
- An anonymous id that comes up beside another user's id: if its user has no id, that user was this one
  and is merged into it; if its user has an id, the device has changed hands and its future is the other's.
- A user lives in the shard of the first identity. Other shards only know where to forward to.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from server.ingest.messages import ArrivedEvent
from server.store import inbox
from server.store.ids import digest, shard_of

from .batch import Batch, IdentityKey, Known, UserKey
from .state import UserState

USER_ID = "user_id"
ANONYMOUS_ID = "anonymous_id"

LINK = "link"
"""The command that tells an identity's shard whose it is."""
UNLINKED = "unlinked"
"""Its answer, if nobody turned out to be somebody else by it."""

MOST_HOPS = 8
"""Shards that point at each other in a circle would pass an event on for ever."""
HISTORY_BIT = 128
"""Set beside the number of hops of an event that came by an import."""


class Merge(NamedTuple):
    """This user of ours turned out to be that one, here or in another shard."""

    project_id: int
    number: int
    home: int
    into: int


@dataclass(slots=True)
class Resolver:
    """Finds or makes the users of one batch, in the order in which its events came."""

    batch: Batch
    next_number: dict[int, int]
    """By project: the number that its next new user in this shard gets."""
    merged: set[UserKey] = field(default_factory=set)
    asks: bool = False
    """Whether the event being resolved has asked another shard who used its device before."""

    def resolve(self, project_id: int, event: ArrivedEvent, payload: bytes, hops: int) -> "Found | None":
        """The event's user and whom it showed to be the same; none if it belongs to another shard."""
        named, anonymous = event.user_id, event.anonymous_id
        self.asks = False
        primary = (project_id, USER_ID, named) if named else (project_id, ANONYMOUS_ID, anonymous or "")
        known = self.batch.identities.get(primary)
        if known is not None and known.home != self.batch.shard:
            self._forward(known.home, project_id, payload, event, hops)
            return None
        if known is None:
            home = self._home_of_new(project_id, named, anonymous, hops)
            if home != self.batch.shard:
                self._put(primary, home, None, event)
                self._forward(home, project_id, payload, event, hops)
                return None
            number = self._name_or_make(primary, anonymous, event)
        else:
            assert known.number is not None
            number = known.number
        merges: list[Merge] = []
        if named and anonymous:
            merges += self._link(project_id, ANONYMOUS_ID, anonymous, number, event, force=False)
        if event.type == "alias" and event.previous_id:
            for kind in (USER_ID, ANONYMOUS_ID):
                merges += self._link(project_id, kind, event.previous_id, number, event, force=True)
        return Found(number, merges, self.asks)

    def _home_of_new(self, project_id: int, named: str | None, anonymous: str | None, hops: int) -> int:
        """A user lives where the first identity leads: that of the anonymous id, if there is one."""
        if not named or not anonymous or hops % HISTORY_BIT:
            return self.batch.shard
        known = self.batch.identities.get((project_id, ANONYMOUS_ID, anonymous))
        return known.home if known else shard_of(project_id, anonymous, self.batch.shards)

    def _name_or_make(self, primary: IdentityKey, anonymous: str | None, event: ArrivedEvent) -> int:
        """Gives a new user id to the nameless user of its anonymous id, or makes a user."""
        project_id, kind, value = primary
        if kind == USER_ID and anonymous:
            known = self.batch.identities.get((project_id, ANONYMOUS_ID, anonymous))
            if known and known.home == self.batch.shard and known.number is not None:
                user = self.batch.users[project_id, known.number]
                if user.user_id is None:
                    user.user_id, user.is_changed = value, True
                    self._put(primary, self.batch.shard, user.number, event)
                    return user.number
        return self.make(primary, event.occurred_at)

    def _link(
        self, project_id: int, kind: str, value: str, number: int, event: ArrivedEvent, *, force: bool
    ) -> list[Merge]:
        """Makes one more identity lead to this user."""
        batch, identity = self.batch, (project_id, kind, value)
        known = batch.identities.get(identity)
        if known and known.home == batch.shard and known.number == number:
            return []
        merges = []
        if known and known.home == batch.shard and known.number is not None:
            merges = self.unite(project_id, known.number, batch.shard, number, force=force)
        to_tell = known.home if known else shard_of(project_id, value, batch.shards)
        if to_tell != batch.shard:
            self.asks = self.asks or not force
            self._tell(to_tell, identity, number, event.occurred_at, force=force)
        self._put(identity, batch.shard, number, event)
        return merges

    def unite(self, project_id: int, number: int, home: int, into: int, *, force: bool) -> list[Merge]:
        """A merge if this user is nameless (or it was asked for); none if the device has changed hands."""
        user = self.batch.users[project_id, number]
        if (user.user_id is not None and not force) or (project_id, number) in self.merged:
            return []
        self.merged.add((project_id, number))
        return [Merge(project_id, number, home, into)]

    def make(self, identity: IdentityKey, at: int) -> int:
        """A new user to whom this identity leads."""
        project_id, kind, value = identity
        number = self.next_number[project_id]
        self.next_number[project_id] = number + 1
        self.batch.users[project_id, number] = UserState(
            number=number,
            attributes={},
            user_id=value if kind == USER_ID else None,
            created_at=at,
            is_new=True,
        )
        self._write(identity, self.batch.shard, number, at)
        return number

    def linked(self, project_id: int, command: dict[str, object]) -> list[Merge]:
        """Another shard says that one of our identities is its user's."""
        kind, value = str(command["kind"]), str(command["value"])
        home, number = int(str(command["home"])), int(str(command["number"]))
        at, force = int(str(command["at"])), bool(command["force"])
        identity = (project_id, kind, value)
        known = self.batch.identities.get(identity)
        if known is not None and known.home == home:
            self._answer(project_id, command)
            return []
        merges: list[Merge] = []
        if known is None or known.home == self.batch.shard:
            if known is not None and known.number is not None:
                merges = self.unite(project_id, known.number, home, number, force=force)
            if not merges:
                self._answer(project_id, command)
        else:
            self.batch.outgoing.append(
                inbox.Entry(known.home, project_id, LINK, orjson.dumps(command), self.batch.now)
            )
        self._write(identity, home, None, at)
        return merges

    def _answer(self, project_id: int, command: dict[str, object]) -> None:
        """Nobody turned out to be the user who asked for this device."""
        if not command["force"]:
            about = {"number": command["number"], "key": digest(str(command["value"]))}
            home = int(str(command["home"]))
            entry = inbox.Entry(home, project_id, UNLINKED, orjson.dumps(about), self.batch.now)
            self.batch.outgoing.append(entry)

    def follow(self, merge: Merge, at: int) -> list[IdentityKey]:
        """Makes every identity of a merged user that we hold lead to the user that it was merged into.

        Returns those identities.
        """
        here = merge.home == self.batch.shard
        found = []
        for identity, known in list(self.batch.identities.items()):
            ours = identity[0] == merge.project_id and known.home == self.batch.shard
            if ours and known.number == merge.number:
                self._write(identity, merge.home, merge.into if here else None, at)
                found.append(identity)
        return found

    def welcome(self, identity: IdentityKey, home: int, number: int, at: int) -> None:
        """Makes an identity that another shard has led here lead on, unless it is one of our own users'."""
        known = self.batch.identities.get(identity)
        if known is None or known.home != self.batch.shard:
            self._write(identity, home, number if home == self.batch.shard else None, at)

    def pass_on(
        self, project_id: int, merged_into: str, payload: bytes, event: ArrivedEvent, hops: int
    ) -> None:
        """Sends an event after its user, who has been merged into another."""
        self._forward(int(merged_into.partition(":")[0]), project_id, payload, event, hops)

    def _forward(self, home: int, project_id: int, payload: bytes, event: ArrivedEvent, hops: int) -> None:
        if hops % HISTORY_BIT >= MOST_HOPS:
            raise RuntimeError(f"Event {event.message_id!r} was passed on between shards too often.")
        wrapped = (hops + 1).to_bytes(1, "big") + payload
        self.batch.outgoing.append(inbox.Entry(home, project_id, inbox.FORWARDED, wrapped, event.received_at))

    def _tell(self, shard: int, identity: IdentityKey, number: int, at: int, *, force: bool) -> None:
        project_id, kind, value = identity
        about = {"kind": kind, "value": value, "home": self.batch.shard, "number": number}
        command = orjson.dumps({**about, "at": at, "force": force})
        self.batch.outgoing.append(inbox.Entry(shard, project_id, LINK, command, self.batch.now))

    def _put(self, identity: IdentityKey, home: int, number: int | None, event: ArrivedEvent) -> None:
        self._write(identity, home, number, event.occurred_at)

    def _write(self, identity: IdentityKey, home: int, number: int | None, at: int) -> None:
        self.batch.identities[identity] = Known(home, number)
        self.batch.new_identities.append((self.batch.shard, *identity, home, number, at))


class Found(NamedTuple):
    """An event's user, and which other users turned out to be the same."""

    number: int
    merges: list[Merge]
    asks: bool = False
    """Whether it is not known yet who used the device before."""
