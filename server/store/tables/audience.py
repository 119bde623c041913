"""Who comes in: segments, uploaded lists, launches and requests to let people in."""

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from . import columns as column


class Segment(SQLModel, table=True):
    """A saved condition over the users of a project. Who meets it is asked anew each time."""

    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    name: str = column.text()
    conditions: str = column.text()
    """The tree, as JSON; `server.journey.audience` reads it."""
    created_at: int = column.integer()
    changed_at: int = column.integer()


class UserList(SQLModel, table=True):
    """A list of users that somebody has uploaded."""

    __tablename__ = "user_list"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    name: str = column.text()
    created_at: int = column.integer()
    changed_at: int = column.integer()
    columns: str = column.text(default="")
    """Of which columns its lines keep the values, as JSON; empty if of none."""


class ListMember(SQLModel, table=True):
    """That a user is on a list. Rows, and not a bitmap: they are read in pages and change one by one."""

    __tablename__ = "list_member"
    __table_args__ = (
        Index("list_member_by_user", "shard", "project_id", "user_number"),
        column.SHARDED,
    )

    shard: int = column.key()
    list_id: int = column.key()
    user_number: int = column.key()
    project_id: int = column.integer()
    added_at: int = column.integer()
    line: str = column.text(default="")
    """The other cells of the line that named the user, by their column, as JSON; empty if there are none."""


class Launch(SQLModel, table=True):
    """One time at which an audience is let in, as far as this shard has come with it.

    The cursor moves in the transaction that lets a page of people in: nobody twice, and nobody left out.
    """

    __table_args__ = (
        column.partial_index("launch_due", "shard", "due_at", where=sql("done_at IS NULL AND NOT held")),
        column.SHARDED,
    )

    shard: int = column.key()
    journey_id: int = column.key()
    entry_key: str = column.text_key()
    occurrence: int = column.key()
    """Which time it is: its instant, or in each person's own zone the time on the wall as if it were UTC."""
    project_id: int = column.integer()
    version: int = column.integer()
    """By which it was planned."""
    request_id: int | None = column.integer(default=None)
    """The request that asked for it; none for one that a step has planned."""
    planned_at: int = column.integer()
    """A person whose time was before this has missed it."""
    due_at: int = column.integer()
    """When it begins, or goes on with those whose time comes later."""
    done_until: int = column.integer(default=-1)
    """Up to which instant those whose time it was have been let in; with the cursor, up to `due_at`."""
    next_at: int | None = column.integer(default=None)
    """The earliest time of those met so far for whom it is too early."""
    cursor: int = column.integer(default=-1)
    """The number of the last user who has been asked."""
    entered: int = column.integer(default=0)
    refused: int = column.integer(default=0)
    held: bool = False
    """Its journey is paused: it stands still."""
    began_at: int | None = column.integer(default=None)
    done_at: int | None = column.integer(default=None)


class EntryRequest(SQLModel, table=True):
    """What somebody asked over the API: to let these people into a journey."""

    __tablename__ = "entry_request"

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    journey_id: int = column.integer()
    entry_key: str = column.text()
    audience: str = column.text()
    """`people`, or a segment or list as JSON."""
    properties: str = column.text()
    creates_users: bool = False
    asked: int = column.integer()
    """How many people were named; 0 for a segment or a list."""
    requested_at: int = column.integer()


class EntryAnswer(SQLModel, table=True):
    """What became of one person of a request."""

    __tablename__ = "entry_answer"
    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    request_id: int = column.key()
    kind: str = column.text_key()
    """`user_id` or `anonymous_id`."""
    value: str = column.text_key()
    project_id: int = column.integer()
    user_number: int | None = column.integer(default=None)
    run_id: int | None = column.integer(default=None)
    reason: str = column.text()
    """Why not; empty for who came in."""
    answered_at: int = column.integer()
