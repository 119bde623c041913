"""That figures have moved: what whoever watches them looks at."""

from sqlmodel import SQLModel

from . import columns as column


class Movement(SQLModel, table=True):
    """How often something has been counted for a journey in this shard: goes up with every such commit."""

    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    journey_id: int = column.key()
    n: int = column.integer()
