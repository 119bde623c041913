"""How versions of templates stand at relays: the words, and the thread of a review."""

from datetime import datetime
from enum import Enum
from typing import Any

import orjson
import strawberry

from server.clock import to_datetime

from .words import value, word


@strawberry.enum(description="How far the review of a template is.")
class AlimtalkInspection(Enum):
    DRAFT = value("draft", description="Nobody was asked, or the request was taken back.")
    REQUESTED = value("requested", description="A review was asked for.")
    IN_REVIEW = value("in_review", description="Somebody looks at it.")
    APPROVED = value("approved", description="It may be sent.")
    REJECTED = value("rejected", description="It may not; the thread says why.")


@strawberry.enum(description="Whether an approved template is in use.")
class AlimtalkOperation(Enum):
    READY = value("ready", description="It was never sent; or it is not approved yet.")
    ACTIVE = value("active", description="It was sent.")
    STOPPED = value("stopped", description="It is not sent until it is used again.")


@strawberry.enum(description="What can be asked of a relay about a template that it has.")
class AlimtalkAct(Enum):
    EDIT = value("edit", description="Changes it: save it, and ask for its review.")
    REVISE = value(
        "revise", description="Changes an approved one, which is sent on until the change is approved."
    )
    REQUEST = value("request", description="Asks for its review.")
    CANCEL = value("cancel", description="Takes the request back.")
    COMMENT = value(
        "comment", description="Says something to the reviewer; one that was rejected is reviewed again."
    )
    STOP = value("stop", description="Has it sent no more.")
    REUSE = value("reuse", description="Has it sent again.")
    CANCEL_APPROVAL = value(
        "cancel_approval", description="Gives the approval back, as long as it was never sent."
    )
    RELEASE = value("release", description="Wakes a dormant one.")
    DELETE = value("delete", description="Takes it away from the relay.")
    OTHER = value("other", description="An act that this version of the API does not know.")


@strawberry.enum(description="What an entry in the thread of a review is.")
class AlimtalkCommentKind(Enum):
    QUESTION = value("question", description="We say or ask something.")
    APPROVAL = value("approval", description="It was approved.")
    REJECTION = value("rejection", description="It was rejected, and this is why.")
    REPLY = value("reply", description="The reviewer answers.")
    REVIEW = value("review", description="It is being reviewed.")
    OTHER = value("other", description="A kind that this version of the API does not know.")


@strawberry.type(description="An entry in the thread of a review.")
class AlimtalkComment:
    at: datetime = strawberry.field(description="When it was said.")
    kind: AlimtalkCommentKind = strawberry.field(description="What it is.")
    author: str | None = strawberry.field(description="Who says it; null if the relay does not tell.")
    text: str = strawberry.field(description="What is said, word for word.")
    attachments: list[str] = strawberry.field(
        description="Names of files, or their addresses.", metadata={"list_size": 3}
    )

    @classmethod
    def from_record(cls, record: Any) -> "AlimtalkComment":
        return cls(
            at=to_datetime(record.at),
            kind=word(AlimtalkCommentKind, record.kind, AlimtalkCommentKind.OTHER),
            author=record.author or None,
            text=record.text,
            attachments=orjson.loads(record.attachments),
        )
