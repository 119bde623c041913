"""What every step has: a key that stays the same across versions, a title, a place on the canvas."""

from dataclasses import dataclass
from typing import ClassVar

from ..moment import NEXT, Decision, Did, Leave, Moment, Outputs
from ..reading import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBase:
    """A node of the graph. Kinds say what happens on arrival and, if they wait, when the wait is over."""

    kind: ClassVar[str]
    is_entry: ClassVar[bool] = False
    takes_time: ClassVar[bool] = False
    """Whether a run that comes here always lets time pass; a loop needs such a step."""

    key: str
    title: str
    position: Place | None = None

    def lets_time_pass(self) -> bool:
        """As `takes_time`, for kinds of which only some steps do."""
        return self.takes_time

    def outputs(self) -> Outputs:
        """The names of the ways out. Each needs exactly one edge."""
        return (NEXT,)

    def arrive(self, moment: Moment) -> Decision:
        return Leave()

    def wake(self, moment: Moment) -> Decision:
        return Leave()

    def listens_for(self) -> frozenset[str]:
        """The names of the events that `hear` wants to be told of while a run waits here."""
        return frozenset()

    def hear(self, moment: Moment, event: str) -> Decision | None:
        """What an event of this name decides; it is part of the moment's past. None: wait on."""
        return None

    def follows_messages(self) -> bool:
        """Whether `hear_messages` wants to know what becomes of the messages of a run that waits here."""
        return False

    def hear_messages(self, moment: Moment) -> Decision | None:
        """What has become of them decides; None: wait on."""
        return None

    def leads_to(self) -> tuple[int, ...]:
        """The journeys to which it takes people."""
        return ()

    def asks_for_user(self) -> bool:
        """Whether it decides by the user's attributes, or writes to an address of the user."""
        return False

    def asks_for_reach(self) -> bool:
        """Whether it asks on which channels the user can be written to."""
        return False

    def asks_segments(self) -> frozenset[str]:
        """The names of the segments that it asks about the user."""
        return frozenset()

    def asks_past(self) -> tuple[Did, ...]:
        """The questions to the user's past that its decisions may ask."""
        return ()


def read_common(reader: Reader) -> dict[str, object]:
    """The fields that every kind shares, as keyword arguments."""
    key = reader.text("key", longest=64)
    if key and not key.replace("_", "").replace("-", "").isalnum():
        reader.refuse("key", f"`key` may hold letters, digits, - and _, found {key!r}")
    title = reader.text("title", required=False, longest=200, default=key)
    return {"key": key, "title": title or key, "position": _read_position(reader)}


def _read_position(reader: Reader) -> Place | None:
    found = reader.value("position", required=False)
    if found is None:
        return None
    x, y = (found.get("x"), found.get("y")) if isinstance(found, dict) else (None, None)
    if not isinstance(x, int | float) or not isinstance(y, int | float):
        reader.refuse("position", "`position` must hold the numbers x and y")
        return None
    return Place(x=float(x), y=float(y))
