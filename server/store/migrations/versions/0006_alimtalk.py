"""Alimtalk, whole: profiles, templates and their reviews, prices, and what messages know of them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _project() -> sa.Column[int]:
    return sa.Column("project_id", sa.Integer(), sa.ForeignKey("project.id"), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _flag(name: str, *, nullable: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=nullable)


def _profiles_up() -> None:
    op.create_table(
        "sender_profile",
        _id(),
        _project(),
        _whole("connection_id"),
        *(_text(name) for name in ("search_id", "key", "name", "company", "category", "state")),
        *(_flag(name) for name in ("is_blocked", "is_dormant")),
        *(
            _flag(name, nullable=True)
            for name in ("can_send_alimtalk", "can_send_brand", "is_verified", "is_first_time")
        ),
        _whole("daily_cap", nullable=True),
        *(_text(name) for name in ("groups", "code", "detail", "problem")),
        *(
            _whole(name, nullable=True)
            for name in ("registered_at", "last_sent_at", "asked_at", "synced_at", "all_at")
        ),
        *(_whole(name) for name in ("created_at", "changed_at")),
        sa.UniqueConstraint("connection_id"),
    )


def _profiles_down() -> None:
    op.drop_table("sender_profile")


def _templates_up() -> None:
    op.create_table(
        "alimtalk_template",
        _id(),
        _project(),
        *(_text(name) for name in ("key", "name")),
        *(_whole(name) for name in ("latest", "created_at", "changed_at")),
        _whole("archived_at", nullable=True),
        sa.UniqueConstraint("project_id", "key"),
    )
    op.create_table(
        "alimtalk_version",
        *(_number(name) for name in ("template_id", "number")),
        _whole("project_id"),
        *(_text(name) for name in ("content", "bindings", "declaration")),
        *(_whole(name) for name in ("created_at", "changed_at")),
        _whole("submitted_at", nullable=True),
        sa.PrimaryKeyConstraint("template_id", "number"),
    )
    times = ("requested_at", "decided_at", "released_at", "first_sent_at", "last_sent_at", "intent_at")
    op.create_table(
        "alimtalk_registration",
        _id(),
        _project(),
        *(_whole(name) for name in ("template_id", "number", "connection_id")),
        *(_text(name) for name in ("code", "inspection", "operation", "intent")),
        *(_flag(name) for name in ("is_blocked", "is_dormant", "is_replaced")),
        *(_whole(name, nullable=True) for name in times),
        *(_whole(name) for name in ("told_at", "created_at", "changed_at")),
        sa.UniqueConstraint("connection_id", "template_id", "number"),
    )
    op.create_index("alimtalk_registration_by_code", "alimtalk_registration", ["connection_id", "code"])
    op.create_index(
        "alimtalk_registration_by_template", "alimtalk_registration", ["project_id", "template_id"]
    )
    op.create_table(
        "alimtalk_comment",
        _number("registration_id"),
        _text("key"),
        *(_whole(name) for name in ("project_id", "at")),
        *(_text(name) for name in ("kind", "author", "text", "attachments")),
        sa.PrimaryKeyConstraint("registration_id", "key"),
    )


def _templates_down() -> None:
    op.drop_table("alimtalk_comment")
    op.drop_index("alimtalk_registration_by_template", "alimtalk_registration")
    op.drop_index("alimtalk_registration_by_code", "alimtalk_registration")
    for table in ("alimtalk_registration", "alimtalk_version", "alimtalk_template"):
        op.drop_table(table)


def _images_up() -> None:
    op.create_table(
        "alimtalk_image",
        _id(),
        _project(),
        *(_text(name) for name in ("kind", "digest", "name", "media_type")),
        *(_whole(name) for name in ("width", "height")),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _whole("created_at"),
        sa.UniqueConstraint("project_id", "kind", "digest"),
    )
    op.create_index("alimtalk_image_by_digest", "alimtalk_image", ["digest"])
    op.create_table(
        "alimtalk_image_at",
        *(_number(name) for name in ("image_id", "connection_id")),
        _whole("project_id"),
        *(_text(name) for name in ("name", "url")),
        _whole("uploaded_at"),
        sa.PrimaryKeyConstraint("image_id", "connection_id"),
    )


def _images_down() -> None:
    op.drop_table("alimtalk_image_at")
    op.drop_index("alimtalk_image_by_digest", "alimtalk_image")
    op.drop_table("alimtalk_image")


def _prices_up() -> None:
    op.create_table(
        "price_entry",
        _id(),
        _project(),
        _text("channel"),
        _whole("connection_id", nullable=True),
        _text("kind"),
        _whole("amount"),
        _text("currency"),
        *(_whole(name) for name in ("vat_rate", "valid_from")),
        _whole("valid_until", nullable=True),
        _whole("created_at"),
    )
    op.create_index("price_entry_of", "price_entry", ["project_id", "channel", "valid_from"])


def _prices_down() -> None:
    op.drop_index("price_entry_of", "price_entry")
    op.drop_table("price_entry")


_MESSAGE_TEXTS = ("template", "evidence", "demands", "billed_as")


def _messages_up() -> None:
    """What a message knows of its template and of the one that it stands in for."""
    for name in _MESSAGE_TEXTS:
        op.add_column("message", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    for name in ("template_version", "fallback_of", "fallback_id", "priced_by"):
        op.add_column("message", _whole(name, nullable=True))


def _messages_down() -> None:
    for name in ("priced_by", "fallback_id", "fallback_of", "template_version", *reversed(_MESSAGE_TEXTS)):
        op.drop_column("message", name)


def _lists_up() -> None:
    """The values of a list's line, for whoever is on it."""
    op.add_column("list_member", sa.Column("line", sa.Text(), nullable=False, server_default=""))
    op.add_column("user_list", sa.Column("columns", sa.Text(), nullable=False, server_default=""))


def _lists_down() -> None:
    op.drop_column("user_list", "columns")
    op.drop_column("list_member", "line")


def _campaigns_up() -> None:
    """Journeys that were made as one sending."""
    op.add_column("journey", sa.Column("kind", sa.Text(), nullable=False, server_default=""))


def _campaigns_down() -> None:
    op.drop_column("journey", "kind")


def _consents_up() -> None:
    """On what ground a consent stands, and until when it holds by itself."""
    op.add_column("consent", sa.Column("basis", sa.Text(), nullable=False, server_default=""))
    op.add_column("consent", _whole("until", nullable=True))


def _consents_down() -> None:
    op.drop_column("consent", "until")
    op.drop_column("consent", "basis")


def _laws_up() -> None:
    """By which law a project writes advertisements. Who was here before goes by none until asked to."""
    for name in ("law", "law_reason"):
        op.add_column("project", sa.Column(name, sa.Text(), nullable=False, server_default=""))


def _laws_down() -> None:
    for name in ("law_reason", "law"):
        op.drop_column("project", name)


def _brand_messages_up() -> None:
    """Whoever has a number on KakaoTalk is reached there by Brand Messages as well."""
    kept = "address, is_current, state, changed_at, because, reached_at"
    op.execute(
        f"INSERT INTO endpoint (shard, project_id, user_number, channel, {kept}) "  # noqa: S608 - our own words
        f"SELECT shard, project_id, user_number, 'brand_message', {kept} FROM endpoint "
        "WHERE channel = 'kakao' ON CONFLICT DO NOTHING"
    )


def _brand_messages_down() -> None:
    op.execute("DELETE FROM endpoint WHERE channel = 'brand_message'")


def upgrade() -> None:
    """Each part in a function of its own."""
    _profiles_up()
    _templates_up()
    _images_up()
    _prices_up()
    _messages_up()
    _lists_up()
    _consents_up()
    _campaigns_up()
    _laws_up()
    _brand_messages_up()


def downgrade() -> None:
    """The same parts, backwards."""
    _laws_down()
    _brand_messages_down()
    _campaigns_down()
    _consents_down()
    _lists_down()
    _messages_down()
    _prices_down()
    _images_down()
    _templates_down()
    _profiles_down()
