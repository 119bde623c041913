"""The tables. Every sharded one has `shard` first in its key, so that it can be distributed by it.

Times are whole milliseconds since the epoch, UTC. Columns that hold JSON on a hot path are plain text
that we write with orjson ourselves: no ORM object and no type processor stands between loop and disk.
"""

from sqlmodel import SQLModel

from .aggregates import Counter, UserSet
from .alimtalk import (
    AlimtalkComment,
    AlimtalkImage,
    AlimtalkImageAt,
    AlimtalkRegistration,
    AlimtalkTemplate,
    AlimtalkVersion,
    PriceEntry,
    SenderProfile,
)
from .attribute_sets import AttributeSet
from .audience import EntryAnswer, EntryRequest, Launch, ListMember, Segment, UserList
from .cohort_reports import CohortReport
from .commerce import Coupon, Life, Purchase, Spending
from .deeds import DeclaredProperty, DeedSet, DeedValue
from .events import Arrival, Event
from .exports import Export, ExportChunk
from .journeys import Journey, Version
from .messages import Message, Receipt
from .movements import Movement
from .notices import Notice
from .permissions import Consent, InApp, Inbound, KeptRefusal, Suppression
from .projects import ApiKey, Connection, ConnectionHealth, Idempotency, Project
from .retention import FormerMessage, FormerRun, SettledCounter, SettledSet
from .runs import Conversion, ForeignLetter, Refusal, Run, Visit
from .sending import FrequencyCap, Guard, GuardSetting, Voucher, VoucherPool
from .sessions import AdoptedDeeds, Device, VisitSession
from .users import Endpoint, Identity, User
from .verdicts import Verdict
from .work import Catalog, Import, Inbox, Lease, PollCursor, Quarantine, ShardState, Unclaimed

metadata = SQLModel.metadata

__all__ = [
    "AdoptedDeeds",
    "AlimtalkComment",
    "AlimtalkImage",
    "AlimtalkImageAt",
    "AlimtalkRegistration",
    "AlimtalkTemplate",
    "AlimtalkVersion",
    "ApiKey",
    "Arrival",
    "AttributeSet",
    "Catalog",
    "CohortReport",
    "Connection",
    "ConnectionHealth",
    "Consent",
    "Conversion",
    "Counter",
    "Coupon",
    "DeclaredProperty",
    "DeedSet",
    "DeedValue",
    "Device",
    "Endpoint",
    "EntryAnswer",
    "EntryRequest",
    "Event",
    "Export",
    "ExportChunk",
    "ForeignLetter",
    "FormerMessage",
    "FormerRun",
    "FrequencyCap",
    "Guard",
    "GuardSetting",
    "Idempotency",
    "Identity",
    "Import",
    "InApp",
    "Inbound",
    "Inbox",
    "Journey",
    "KeptRefusal",
    "Launch",
    "Lease",
    "Life",
    "ListMember",
    "Message",
    "Movement",
    "Notice",
    "PollCursor",
    "PriceEntry",
    "Project",
    "Purchase",
    "Quarantine",
    "Receipt",
    "Refusal",
    "Run",
    "Segment",
    "SenderProfile",
    "SettledCounter",
    "SettledSet",
    "ShardState",
    "Spending",
    "Suppression",
    "Unclaimed",
    "User",
    "UserList",
    "UserSet",
    "Verdict",
    "Version",
    "Visit",
    "VisitSession",
    "Voucher",
    "VoucherPool",
    "metadata",
]
