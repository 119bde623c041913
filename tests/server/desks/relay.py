"""A relay with a desk, all in memory: it does what it is told to, and fails when it is told to."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import orjson
from pydantic import BaseModel, Field, SecretStr

from channels.alimtalk.desk import (
    Attachment,
    Category,
    Comment,
    CommentKind,
    DeskCan,
    DeskError,
    Does,
    Inspection,
    Operation,
    Profile,
    ProfileState,
    Registered,
)
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import Image, Template
from channels.contract import (
    CONTRACT_VERSION,
    BaseChannel,
    Callback,
    Capabilities,
    Instant,
    Problem,
    Receipt,
    Tools,
    Verified,
)
from channels.host import Host
from channels.reasons import Reason
from server.desks.office import Desks
from server.secretbox import SecretBox
from server.store import connections
from tests.world import NOON, World

BOX = SecretBox([b"a secret of the server that is long enough"])
LOST = DeskError(Reason.OUTCOME_UNKNOWN, text="the line went dead")
NO = DeskError(Reason.CONTENT_REJECTED, "-1", "no, with api-secret in it")
SECRET = "api-secret"


class RelaySettings(BaseModel):
    pf_id: str = ""
    api_key: SecretStr = SecretStr(SECRET)
    base_url: str = Field("https://relay.example", pattern=r"^https?://")


@dataclass
class Kept:
    template: Template
    inspection: Inspection = Inspection.DRAFT
    operation: Operation = Operation.READY
    is_blocked: bool = False
    is_dormant: bool = False
    comments: list[Comment] = field(default_factory=list)
    changed_at: Instant = 0
    revision: "Kept | None" = None


class Relay(BaseChannel[RelaySettings]):
    """The adapter, the desk and the relay in one."""

    contract = CONTRACT_VERSION
    key = "relay"
    channel = "kakao"
    title = "A relay"
    settings = RelaySettings
    capabilities = Capabilities(content={}, address_scheme="phone")

    def __init__(self, now: Callable[[], Instant] = lambda: NOON, **can: Any) -> None:
        self.now = now
        self.desk_can = DeskCan(
            **{
                "does": frozenset(Does),
                "limits": Limits(),
                "more": {"profile_setting": "pf_id"},
                **can,
            }
        )
        self.kept: dict[str, Kept] = {}
        self.told_profile = Profile("PF1", "@shop", "소전몰", state=ProfileState.ACTIVE)
        self.fails: dict[str, DeskError] = {}
        """By the name of a question: it is refused, and nothing is done."""
        self.loses: set[str] = set()
        """Questions that are done and not answered."""
        self.asked: list[str] = []
        self.pictures: list[Attachment] = []
        self.files: list[str] = []

    # The adapter

    def problems(self, settings: RelaySettings) -> list[Problem]:
        return [] if settings.pf_id else [Problem("pf_id", "Register a sender profile.")]

    def open(self, settings: RelaySettings, tools: Tools) -> Any:
        raise NotImplementedError

    def open_desk(self, settings: RelaySettings, tools: Tools) -> Any:
        return self

    def verify(self, settings: RelaySettings, callback: Callback, now: Instant) -> Verified:
        return Verified(callback, now)

    def parse(self, settings: RelaySettings, verified: Verified) -> list[Receipt]:
        return []

    def template_news(self, settings: RelaySettings, verified: Verified) -> list[Registered]:
        told = orjson.loads(verified.callback.body)
        return [Registered(one["code"], Inspection(one["inspection"]), changed_at=one["at"]) for one in told]

    async def aclose(self) -> None:
        pass

    # The desk

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if name in self.fails:
            raise self.fails[name]

    def _lose(self, name: str) -> None:
        if name in self.loses:
            raise LOST

    async def profiles(self) -> list[Profile]:
        self._ask("profiles")
        return [self.told_profile]

    async def ask_token(self, search_id: str, phone: str, category: str = "") -> None:
        self._ask("ask_token")

    async def register_profile(self, search_id: str, phone: str, token: str, category: str) -> Profile:
        self._ask("register_profile")
        if token != "123456":
            raise DeskError(Reason.CONTENT_INVALID, "-7", "the token is wrong", path="token")
        return self.told_profile

    async def profile_categories(self) -> list[Category]:
        return [Category("01", "쇼핑")]

    async def template_categories(self) -> list[Category]:
        return [Category("002001", "주문")]

    async def templates(self, changed_since: Instant | None = None) -> list[Registered]:
        self._ask("templates" if changed_since is None else "changes")
        listed = [told for code in self.kept for told in self._told(code)]
        return [
            replace(one, comments=())
            for one in listed
            if changed_since is None or (one.changed_at or 0) >= changed_since
        ]

    async def template(self, code: str) -> Registered | None:
        self._ask("template")
        return self._told(code)[-1] if code in self.kept else None

    async def create(self, code: str, template: Template) -> Registered:
        self._ask("create")
        code = f"KA{len(self.kept) + 1}" if self.desk_can.chooses_code else code
        if code in self.kept:
            raise DeskError(Reason.DUPLICATE, "-3", "there is one of this code")
        self.kept[code] = Kept(template, changed_at=self.now())
        if Does.DRAFT not in self.desk_can.does:
            self.kept[code].inspection = Inspection.REQUESTED
        self._lose("create")
        return self._told(code)[-1]

    async def update(self, code: str, template: Template) -> Registered:
        self._ask("update")
        one = self.kept[code]
        if one.inspection is Inspection.APPROVED:
            one.revision = Kept(template, changed_at=self.now())
        else:
            one.template, one.inspection = template, Inspection.DRAFT
        return self._told(code)[-1]

    async def request_review(
        self, code: str, comment: str = "", attachments: Sequence[Attachment] = ()
    ) -> Registered:
        self._ask("request_review")
        self.files += [one.name for one in attachments]
        self._touched(code, inspection=Inspection.REQUESTED)
        if comment:
            self._say(code, CommentKind.QUESTION, comment)
        self._lose("request_review")
        return self._told(code)[-1]

    async def cancel_request(self, code: str) -> Registered:
        return self._done("cancel", code, inspection=Inspection.DRAFT)

    async def comment(self, code: str, text: str, attachments: Sequence[Attachment] = ()) -> Registered:
        self._ask("comment")
        self._say(code, CommentKind.QUESTION, text)
        return self._done("comment", code, inspection=Inspection.REQUESTED)

    async def stop(self, code: str) -> Registered:
        return self._done("stop", code, operation=Operation.STOPPED)

    async def reuse(self, code: str) -> Registered:
        return self._done("reuse", code, operation=Operation.READY)

    async def cancel_approval(self, code: str) -> Registered:
        return self._done("cancel_approval", code, inspection=Inspection.DRAFT)

    async def release(self, code: str) -> Registered:
        return self._done("release", code, is_dormant=False)

    async def delete(self, code: str) -> None:
        self._ask("delete")
        del self.kept[code]

    async def upload_image(self, kind: str, picture: Attachment) -> Image:
        self._ask("upload_image")
        self.pictures.append(picture)
        return Image(f"at-relay-{picture.name}", f"https://relay.example/{picture.name}")

    # KakaoTalk

    def approve(self, code: str) -> None:
        one = self.kept[code]
        if one.revision is not None:
            one.template, one.revision = one.revision.template, None
        self._touched(code, inspection=Inspection.APPROVED)

    def reject(self, code: str, why: str) -> None:
        self._touched(code, inspection=Inspection.REJECTED)
        self._say(code, CommentKind.REJECTION, why)

    def _say(self, code: str, kind: CommentKind, text: str) -> None:
        said = self.kept[code].comments
        said.append(Comment(f"c{len(said)}", self.now(), kind, text, "검수자"))

    def _touched(self, code: str, **changes: Any) -> None:
        one = self.kept[code].revision or self.kept[code]
        for name, value in {**changes, "changed_at": self.now()}.items():
            setattr(one, name, value)

    def _done(self, name: str, code: str, **changes: Any) -> Registered:
        self._ask(name)
        self._touched(code, **changes)
        self._lose(name)
        return self._told(code)[-1]

    def _told(self, code: str) -> list[Registered]:
        one = self.kept[code]
        live = _registered(code, one, one.comments)
        if one.revision is None:
            return [live]
        return [live, replace(_registered(code, one.revision, one.comments), is_revision=True)]


def _registered(code: str, one: Kept, comments: list[Comment]) -> Registered:
    flags = (one.is_blocked, one.is_dormant)
    return Registered(
        code, one.inspection, one.operation, *flags, one.template, tuple(comments), one.changed_at
    )


def host_of(*relays: Relay) -> Host:
    host = Host()
    for one in relays:
        host.channels[one.key] = one
    return host


def desks_of(world: World, host: Host) -> Desks:
    @asynccontextmanager
    async def lend(connection_id: int) -> AsyncIterator[Tools]:
        async with httpx.AsyncClient() as client:
            yield Tools(world.clock.now, client, str(connection_id))

    return Desks(world.db, world.clock, host, BOX, lend)


async def connect(world: World, host: Host, name: str = "카카오", pf_id: str = "PF1", **more: Any) -> int:
    async with world.db.write() as session:
        made = await connections.create(
            session,
            host,
            more.get("box", BOX),
            world.project_id,
            name=name,
            adapter=more.get("adapter", "relay"),
            settings={"pf_id": pf_id, "api_key": SECRET},
            now=NOON,
        )
    return made.id
