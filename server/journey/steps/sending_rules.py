"""What a message step says beside what it sends: which addresses, how often at most, with which voucher."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from ..reading import Reader

DAY = 86_400_000
LONGEST_WINDOW = 30 * DAY
SHORTEST_WINDOW = 60_000
MOST_IN_WINDOW = 1000
LONGEST_POOL = 100
LONGEST_ATTRIBUTE = 100


class SendTo(StrEnum):
    """Which of the user's addresses on the channel are written to."""

    ALL = "all"
    TRIGGERING = "triggering"
    """The one whose event let the run in."""
    LAST_ACTIVE = "last_active"
    """The one that was heard of last."""


class CapRule(StrEnum):
    """How a step stands to the caps of its project."""

    OBEY = "obey"
    IGNORE = "ignore"
    """Nothing holds it back, and it counts against nobody."""
    OWN = "own"
    """A limit of its own in the place of the project's; it counts like any other."""


@dataclass(frozen=True, slots=True)
class Cap:
    """How often at most: at the most `most` messages in any window of this length."""

    rule: CapRule = CapRule.OBEY
    most: int = 0
    window_ms: int = 0

    @classmethod
    def parse(cls, written: str) -> Self:
        """What `written` has made; it goes with each message."""
        rule, _, limit = written.partition(":")
        most, _, window_ms = limit.partition("/")
        return cls(CapRule(rule or CapRule.OBEY), int(most or 0), int(window_ms or 0))

    @property
    def written(self) -> str:
        if self.rule is CapRule.OWN:
            return f"{self.rule}:{self.most}/{self.window_ms}"
        return "" if self.rule is CapRule.OBEY else self.rule.value


@dataclass(frozen=True, slots=True)
class SendingRules:
    send_to: SendTo = SendTo.ALL
    cap: Cap = Cap()
    pool: str = ""
    """The name of the pool that each message takes a code from; empty for none."""
    remember_as: str = ""
    """The attribute of the user that keeps the code; empty for none."""

    @classmethod
    def read(cls, reader: Reader) -> Self:
        pool, remember_as = _read_voucher(reader)
        return cls(_read_send_to(reader), _read_cap(reader), pool, remember_as)


def _read_send_to(reader: Reader) -> SendTo:
    if reader.value("send_to", required=False) is None:
        return SendTo.ALL
    return SendTo(reader.choice("send_to", tuple(SendTo)))


def _read_cap(reader: Reader) -> Cap:
    inside = _inside(reader, "frequency_cap")
    if inside is None:
        return Cap()
    rule = CapRule(inside.choice("rule", tuple(CapRule)))
    if rule is not CapRule.OWN:
        for name in ("most", "window_ms"):
            if inside.value(name, required=False) is not None:
                inside.refuse(name, f"Only a limit of the step's own has `{name}`")
        return Cap(rule)
    most = inside.number("most", least=1, most=MOST_IN_WINDOW, default=1)
    return Cap(rule, most, inside.duration("window_ms", least=SHORTEST_WINDOW, most=LONGEST_WINDOW))


def _read_voucher(reader: Reader) -> tuple[str, str]:
    inside = _inside(reader, "voucher")
    if inside is None:
        return "", ""
    pool = inside.text("pool", longest=LONGEST_POOL).strip()
    return pool, inside.text("remember_as", required=False, longest=LONGEST_ATTRIBUTE).strip()


def _inside(reader: Reader, key: str) -> Reader | None:
    found = reader.value(key, required=False)
    if found is None:
        return None
    if not isinstance(found, dict):
        reader.refuse(key, f"`{key}` must be an object")
        return None
    return Reader(found, (*reader.path, key), reader.problems)
