"""A relay's desk: where sender profiles and templates are registered, reviewed and looked after.

An optional side of a channel: an adapter whose relay offers it is a `WithDesk` as well. What a desk can do is
data (`DeskCan`); everything else raises `DeskError` with the reason `not_permitted`. Times are `Instant`: int
milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from channels.reasons import Reason

from .limits import KAKAO, Limits
from .template import Image, Template

if TYPE_CHECKING:
    from channels.contract import Instant, Tools, Verified


class Inspection(StrEnum):
    """How far the review of a template is."""

    DRAFT = "draft"
    REQUESTED = "requested"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    REJECTED = "rejected"


class Operation(StrEnum):
    """Whether an approved template is in use."""

    READY = "ready"
    """Approved and never sent; or not approved yet."""
    ACTIVE = "active"
    STOPPED = "stopped"


class Does(StrEnum):
    """What a desk may be able to do."""

    DRAFT = "draft"
    """Keeps templates before a review is asked for. Without it `create` asks for the review at once."""
    UPDATE = "update"
    REVISE = "revise"
    """Takes an edit of an approved template: the old one stays live until the new one is approved."""
    REQUEST = "request"
    CANCEL = "cancel"
    COMMENT = "comment"
    ATTACH = "attach"
    STOP = "stop"
    REUSE = "reuse"
    CANCEL_APPROVAL = "cancel_approval"
    RELEASE = "release"
    DELETE = "delete"
    UPLOAD = "upload"
    REGISTER_PROFILE = "register_profile"
    GROUPS = "groups"
    CATEGORIES = "categories"
    BALANCE = "balance"
    NEWS = "news"
    """Tells of reviews by a callback; else they are asked for."""


class ProfileState(StrEnum):
    WAITING = "waiting"
    """For the token that was sent to the channel's administrator."""
    ACTIVE = "active"
    DORMANT = "dormant"
    BLOCKED = "blocked"
    CLOSED = "closed"
    DELETED = "deleted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Profile:
    """A sender profile (발신프로필) as the relay knows it."""

    key: str
    """Sender key, or what the relay calls it by."""
    search_id: str
    """`@name` of the channel."""
    name: str = ""
    category: str = ""
    state: ProfileState = ProfileState.ACTIVE
    is_blocked: bool = False
    """Sanctioned by KakaoTalk."""
    is_dormant: bool = False
    can_send_alimtalk: bool | None = None
    can_send_brand: bool | None = None
    is_verified: bool | None = None
    """Whether its business was verified."""
    is_first_time: bool | None = None
    """Whether the rule for first-time senders holds."""
    daily_cap: int | None = None
    groups: tuple[str, ...] = ()
    code: str = ""
    text: str = ""
    """What the relay says of its state, word for word."""


class CommentKind(StrEnum):
    """Who says what in the thread of a review."""

    QUESTION = "question"
    APPROVAL = "approval"
    REJECTION = "rejection"
    REPLY = "reply"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Comment:
    """One entry of the thread of a review."""

    key: str
    """The relay's own id; the same comment told twice has the same."""
    at: Instant
    kind: CommentKind
    text: str
    author: str = ""
    attachments: tuple[str, ...] = ()
    """Names, or addresses where the relay gives them."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A template as a relay knows it."""

    code: str
    """The relay's code, by which it is sent."""
    inspection: Inspection
    operation: Operation = Operation.READY
    is_blocked: bool = False
    is_dormant: bool = False
    template: Template | None = None
    """None where the relay told of its state alone."""
    comments: tuple[Comment, ...] = ()
    changed_at: Instant | None = None
    is_revision: bool = False
    """It tells of an edit under review; the approved one is still live."""
    kakao_code: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Category:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Balance:
    amount: Decimal
    currency: str
    points: Decimal | None = None


@dataclass(slots=True)
class DeskError(Exception):
    """The desk said no, or cannot be reached.

    Of the reasons, `outcome_unknown` and `provider_error` leave open whether it was done.
    """

    reason: Reason
    code: str = ""
    text: str = ""
    path: str = ""
    """The template's field that is meant, where the relay says so."""

    def __str__(self) -> str:
        return f"{self.reason.value} {self.code}: {self.text}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCan:
    """What a relay's desk can do, as data."""

    does: frozenset[Does]
    limits: Limits = KAKAO
    chooses_code: bool = False
    """Whether the relay gives templates their codes; else the sender does."""
    review_days: tuple[int, int] = (1, 3)
    """How long a review usually takes, in working days."""
    more: dict[str, Any] = field(default_factory=dict)


class Desk(Protocol):
    """An open desk, for one set of settings. Every method raises `DeskError`; nothing is retried here."""

    async def profiles(self) -> list[Profile]: ...

    async def ask_token(self, search_id: str, phone: str, category: str = "") -> None:
        """Has the relay send a token to the channel's administrator. Some want the category here already."""
        ...

    async def register_profile(self, search_id: str, phone: str, token: str, category: str) -> Profile: ...

    async def profile_categories(self) -> list[Category]: ...

    async def template_categories(self) -> list[Category]: ...

    async def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of groups of profiles, with the keys of their members."""
        ...

    async def join_group(self, group: str, profile_key: str) -> None: ...

    async def templates(self, changed_since: Instant | None = None) -> list[Registered]:
        """All of the profile, or where the relay can tell those that changed since."""
        ...

    async def template(self, code: str) -> Registered | None:
        """One with its comments; None if there is none."""
        ...

    async def create(self, code: str, template: Template) -> Registered:
        """`code` is a wish: where the relay chooses, the answer says which."""
        ...

    async def update(self, code: str, template: Template) -> Registered: ...

    async def request_review(
        self, code: str, comment: str = "", attachments: Sequence[Attachment] = ()
    ) -> Registered: ...

    async def cancel_request(self, code: str) -> Registered: ...

    async def comment(self, code: str, text: str, attachments: Sequence[Attachment] = ()) -> Registered: ...

    async def stop(self, code: str) -> Registered: ...

    async def reuse(self, code: str) -> Registered: ...

    async def cancel_approval(self, code: str) -> Registered: ...

    async def release(self, code: str) -> Registered:
        """Wakes a dormant template."""
        ...

    async def delete(self, code: str) -> None: ...

    async def upload_image(self, kind: str, picture: Attachment) -> Image:
        """`kind` is `image` (2:1, of the emphasis IMAGE) or `thumbnail` (1:1, of a highlight)."""
        ...

    async def balance(self) -> Balance: ...

    async def aclose(self) -> None: ...


@runtime_checkable
class WithDesk(Protocol):
    """The side of a channel whose relay has a desk."""

    desk_can: DeskCan

    def open_desk(self, settings: Any, tools: Tools) -> Desk:
        """No I/O happens before the first question."""
        ...

    def template_news(self, settings: Any, verified: Verified) -> list[Registered]:
        """What a verified callback tells of templates. Pure, never raises; empty for anything else."""
        ...
