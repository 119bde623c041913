"""Sender profiles, templates with their versions, what relays make of them, and pictures.

A connection of an Alimtalk relay speaks for one sender profile. A template is the project's; each of its
versions may be registered with several connections, and has a standing with each.
"""

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from . import columns as column


class SenderProfile(SQLModel, table=True):
    """A sender profile (발신프로필), as its relay told of it last."""

    __tablename__ = "sender_profile"
    __table_args__ = (UniqueConstraint("connection_id"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    connection_id: int = column.integer()
    search_id: str = column.text()
    """`@name` of the channel."""
    key: str = column.text(default="")
    """Sender key, or what the relay calls it by; empty until it is registered."""
    name: str = column.text(default="")
    company: str = column.text(default="")
    """The name of the shop, as messages about coupons have to begin with it."""
    category: str = column.text(default="")
    state: str = column.text()
    """`channels.alimtalk.desk.ProfileState`."""
    is_blocked: bool = False
    is_dormant: bool = False
    can_send_alimtalk: bool | None = None
    can_send_brand: bool | None = None
    is_verified: bool | None = None
    is_first_time: bool | None = None
    daily_cap: int | None = column.integer(default=None)
    groups: str = column.text(default="[]")
    code: str = column.text(default="")
    detail: str = column.text(default="")
    """What the relay says of its state, word for word."""
    registered_at: int | None = column.integer(default=None)
    last_sent_at: int | None = column.integer(default=None)
    asked_at: int | None = column.integer(default=None)
    """When the relay was last asked how things are, whatever came of it."""
    synced_at: int | None = column.integer(default=None)
    """When it last answered that."""
    all_at: int | None = column.integer(default=None)
    """When it last told of everything, and not of what had changed alone."""
    problem: str = column.text(default="")
    """Why it did not answer the last time; empty if it did."""
    created_at: int = column.integer()
    changed_at: int = column.integer()


class AlimtalkTemplate(SQLModel, table=True):
    """A template of the project, by the key that steps name."""

    __tablename__ = "alimtalk_template"
    __table_args__ = (UniqueConstraint("project_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    key: str = column.text()
    name: str = column.text()
    latest: int = column.integer()
    """The number of its last version."""
    created_at: int = column.integer()
    changed_at: int = column.integer()
    archived_at: int | None = column.integer(default=None)


class AlimtalkVersion(SQLModel, table=True):
    """One version of a template. Once a review was asked for, its text never changes."""

    __tablename__ = "alimtalk_version"

    template_id: int = column.key()
    number: int = column.key()
    project_id: int = column.integer()
    content: str = column.text()
    """`channels.alimtalk.template.Template`, as JSON."""
    bindings: str = column.text(default="{}")
    """By variable: the Liquid text that gives its value, if a step says nothing else. As JSON."""
    declaration: str = column.text(default="{}")
    """What makes it lawful: `server.alimtalk.declaration.Declaration`, as JSON."""
    created_at: int = column.integer()
    changed_at: int = column.integer()
    submitted_at: int | None = column.integer(default=None)
    """When a review was first asked for anywhere."""


class AlimtalkRegistration(SQLModel, table=True):
    """A version at one connection: under which code, and how it stands there."""

    __tablename__ = "alimtalk_registration"
    __table_args__ = (
        UniqueConstraint("connection_id", "template_id", "number"),
        Index("alimtalk_registration_by_code", "connection_id", "code"),
        Index("alimtalk_registration_by_template", "project_id", "template_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    template_id: int = column.integer()
    number: int = column.integer()
    connection_id: int = column.integer()
    code: str = column.text(default="")
    """The relay's code of the template; the versions of one share it where the relay takes revisions."""
    inspection: str = column.text()
    """`channels.alimtalk.desk.Inspection`."""
    operation: str = column.text()
    """`channels.alimtalk.desk.Operation`."""
    is_blocked: bool = False
    is_dormant: bool = False
    is_replaced: bool = False
    """A later version was approved under the same code: this one is sent no more."""
    requested_at: int | None = column.integer(default=None)
    decided_at: int | None = column.integer(default=None)
    released_at: int | None = column.integer(default=None)
    first_sent_at: int | None = column.integer(default=None)
    last_sent_at: int | None = column.integer(default=None)
    told_at: int = column.integer(default=0)
    """As of when what stands here is true: what is told later and is older changes nothing."""
    intent: str = column.text(default="")
    """What its relay was asked and has not answered: a `server.alimtalk.lifecycle.Act`; empty for none."""
    intent_at: int | None = column.integer(default=None)
    created_at: int = column.integer()
    changed_at: int = column.integer()


class AlimtalkComment(SQLModel, table=True):
    """One entry of the thread of a review."""

    __tablename__ = "alimtalk_comment"

    registration_id: int = column.key()
    key: str = column.text_key()
    """The relay's own id of it."""
    project_id: int = column.integer()
    at: int = column.integer()
    kind: str = column.text()
    """`channels.alimtalk.desk.CommentKind`."""
    author: str = column.text(default="")
    text: str = column.text()
    attachments: str = column.text(default="[]")


class AlimtalkImage(SQLModel, table=True):
    """A picture, kept so that it can be handed to several relays."""

    __tablename__ = "alimtalk_image"
    __table_args__ = (
        UniqueConstraint("project_id", "kind", "digest"),
        Index("alimtalk_image_by_digest", "digest"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    kind: str = column.text()
    """`image` or `thumbnail`."""
    digest: str = column.text()
    name: str = column.text()
    media_type: str = column.text()
    width: int = column.integer()
    height: int = column.integer()
    content: bytes = column.data()
    created_at: int = column.integer()


class AlimtalkImageAt(SQLModel, table=True):
    """Where a relay keeps a picture."""

    __tablename__ = "alimtalk_image_at"

    image_id: int = column.key()
    connection_id: int = column.key()
    project_id: int = column.integer()
    name: str = column.text()
    url: str = column.text()
    uploaded_at: int = column.integer()


class PriceEntry(SQLModel, table=True):
    """A line of a project's price list: what a message of a kind costs through a connection, and when."""

    __tablename__ = "price_entry"
    __table_args__ = (Index("price_entry_of", "project_id", "channel", "valid_from"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    channel: str = column.text()
    connection_id: int | None = column.integer(default=None)
    """Of this connection alone; of any of the channel if empty."""
    kind: str = column.text(default="")
    """The kind of message that is billed, e.g. `alimtalk`, `sms`, `lms`, `brand_text`; any if empty."""
    amount: int = column.integer()
    """Without VAT, in ten-thousandths of the currency's unit."""
    currency: str = column.text()
    vat_rate: int = column.integer(default=1000)
    """In hundredths of a per cent."""
    valid_from: int = column.integer()
    valid_until: int | None = column.integer(default=None)
    created_at: int = column.integer()
