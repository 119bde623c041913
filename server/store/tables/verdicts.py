"""What was decided about splits by chance: the one thing about a step that is no part of its version."""

from sqlmodel import Field, SQLModel

from . import columns as column


class Verdict(SQLModel, table=True):
    """One decision: a branch was chosen, or the split is open again. The latest holds; none is changed."""

    project_id: int = Field(primary_key=True, foreign_key="project.id")
    journey_id: int = Field(primary_key=True, foreign_key="journey.id")
    step_key: str = column.text_key()
    round: int = Field(primary_key=True)
    """Counts the decisions about this step, from 1."""
    winner: str = column.text()
    """The output; empty if this opened the split again."""
    explore_percent: int = 0
    """How many of a hundred newcomers the other branches get together."""
    decided_at: int = column.integer()
    decided_by: str = column.text()
    """`test` or `people`."""
    evidence: str = column.text(default="{}")
    """How the branches stood then, as JSON."""
