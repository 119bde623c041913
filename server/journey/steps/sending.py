"""What every message step has: it asks for messages to the user on a channel, and goes on at once, or when it
knows what has become of them.

Texts are Liquid over `user`, `event` and `journey`; they are compiled where templates live, and what is
wrong with them is told together with what is wrong with the graph.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Self

from ..moment import Decision, Leave, Moment, Outputs, Path, Wait
from ..reading import Reader
from .base import StepBase, read_common
from .fallback import Fallback, place_of
from .outcome import MESSAGES, Outcome, read_outcome
from .sending_rules import SendingRules

ADVERTISEMENT = "advertisement"
PURPOSES = ("information", ADVERTISEMENT)
"""What a message may be for, in the words of the contract; the first if a step does not say."""
LONGEST_URL = 4096
MOST_VARIABLES = 50
LONGEST_VARIABLE = 10_000
LONGEST_NAME = 100
MOST_OPTIONS = 500
DEEPEST_OPTION = 10
LONGEST_OPTION = 10_000
LONGEST_USE = 366 * 86_400_000

TITLE = "message_title"
"""The data's name for the content's `title`: the `title` of a step is what people call the step."""


class Text(NamedTuple):
    """One field of the content: how long its template may be."""

    longest: int
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStep(StepBase):
    """A kind says what its content is; everything else is the same for all."""

    on: ClassVar[str] = ""
    """The channel of every step of this kind; empty where each step names its own."""
    purposes: ClassVar[tuple[str, ...]] = PURPOSES
    """What a step of this kind may be for; the first if it does not say."""
    texts: ClassVar[Mapping[str, Text]] = {}
    """The fields of the content, by name."""
    needs_one_of: ClassVar[tuple[str, ...]] = ()
    """Fields of which at least one says something."""

    channel: str
    connection: str = ""
    """The name of the project's connection that sends it; empty: the project's order for the channel."""
    purpose: str = PURPOSES[0]
    expires_after_ms: int | None = None
    """How long after the decision it is of use; later it does not leave."""
    outcome: Outcome = Outcome()
    content: Mapping[str, str] = field(default_factory=dict)
    """Templates by the name of the content's field; those that say nothing are left out."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Templates of the values for a template that the provider keeps, by the name there."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What only the adapter understands; every text inside is a template."""
    rules: SendingRules = SendingRules()
    fallback: Fallback | None = None
    """What goes out in the place of a message that could not be sent or did not arrive."""

    @classmethod
    def read(cls, reader: Reader) -> Self:
        common: dict[str, Any] = read_common(reader)
        return cls(
            **common,
            channel=cls.on or read_channel(reader),
            connection=reader.text("connection", required=False, longest=LONGEST_NAME).strip(),
            purpose=read_purpose(reader, cls.purposes),
            expires_after_ms=_read_expiry(reader),
            outcome=read_outcome(reader),
            content=cls.read_content(reader),
            variables=read_templates(reader, "variables"),
            options=read_options(reader),
            rules=SendingRules.read(reader),
            fallback=_read_fallback(reader, cls.purposes),
        )

    @classmethod
    def read_content(cls, reader: Reader) -> Mapping[str, str]:
        read = {
            name: reader.text(key_of(name), required=text.required, longest=text.longest)
            for name, text in cls.texts.items()
        }
        if cls.needs_one_of and not any(read[name].strip() for name in cls.needs_one_of):
            keys = [key_of(name) for name in cls.needs_one_of]
            wanted = ", ".join(f"`{key}`" for key in keys)
            reader.refuse(keys[0], f"It needs at least one of {wanted}; found none", "missing")
        return {name: text for name, text in read.items() if text}

    def path_of(self, name: str) -> Path:
        """Where in the step's data this field of the content stands."""
        return (key_of(name),)

    def templates(self) -> Iterator[tuple[Path, str]]:
        """Every text that is a template, with where it stands in the step's data."""
        for name, text in self.content.items():
            yield self.path_of(name), text
        for name, text in self.variables.items():
            yield ("variables", name), text
        yield from texts_in(self.options, ("options",))
        if self.fallback is not None:
            yield from _texts_of(self.fallback)

    def asks_for_user(self) -> bool:
        return True

    def outputs(self) -> Outputs:
        return self.outcome.outputs()

    def arrive(self, moment: Moment) -> Decision:
        return self._send(moment)

    def wake(self, moment: Moment) -> Decision:
        if MESSAGES not in moment.memory:
            return self._send(moment)
        return self.outcome.judge(moment) or self.outcome.time_over(moment)

    def follows_messages(self) -> bool:
        return self.outcome.is_awaited

    def hear_messages(self, moment: Moment) -> Decision | None:
        return self.outcome.judge(moment) if MESSAGES in moment.memory else None

    def _send(self, moment: Moment) -> Decision:
        if not self.outcome.is_awaited:
            return Leave(sends=True)
        return Wait(moment.at + self.outcome.longest_ms, sends=True)


def _read_fallback(reader: Reader, purposes: tuple[str, ...]) -> Fallback | None:
    fallback = Fallback.read(reader)
    purpose = reader.value("purpose", required=False, default=purposes[0])
    if fallback is not None and purpose == ADVERTISEMENT:
        message = "An advertisement has no fallback: on another channel other rules hold for it"
        reader.refuse("fallback", message, "advertisement")
    return fallback


def _texts_of(fallback: Fallback) -> Iterator[tuple[Path, str]]:
    for name, text in fallback.content.items():
        yield ("fallback", *place_of(name)), text
    for name, text in fallback.variables.items():
        yield ("fallback", "variables", name), text
    yield from texts_in(fallback.options, ("fallback", "options"))


def key_of(name: str) -> str:
    """What the data calls a field of the content."""
    return TITLE if name == "title" else name


def texts_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text inside a plain JSON value."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts_in(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts_in(inner, (*path, index))


def read_templates(reader: Reader, key: str) -> Mapping[str, str]:
    """A map of names to templates."""
    found = reader.value(key, required=False)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        reader.refuse(key, f"`{key}` must be an object of names and texts")
        return {}
    if len(found) > MOST_VARIABLES:
        message = f"`{key}` may hold {MOST_VARIABLES} names, found {len(found)}"
        reader.refuse(key, message, "out_of_range")
    inside = Reader(found, (*reader.path, key), reader.problems)
    read: dict[str, str] = {}
    for name in list(found)[:MOST_VARIABLES]:
        if not 0 < len(name) <= LONGEST_NAME:
            inside.refuse(name[:LONGEST_NAME], f"A name has 1 to {LONGEST_NAME} characters", "too_long")
        read[name] = inside.text(name, required=False, longest=LONGEST_VARIABLE)
    return read


def read_channel(reader: Reader) -> str:
    channel = reader.text("channel", longest=64)
    if channel and not (channel.isascii() and channel.replace("_", "").replace("-", "").isalnum()):
        reader.refuse("channel", f"`channel` may hold letters, digits, - and _, found {channel!r}")
    return channel


def read_purpose(reader: Reader, purposes: tuple[str, ...] = PURPOSES) -> str:
    if reader.value("purpose", required=False) is None:
        return purposes[0]
    return reader.choice("purpose", purposes)


def _read_expiry(reader: Reader) -> int | None:
    if reader.value("expires_after_ms", required=False) is None:
        return None
    return reader.duration("expires_after_ms", least=1000, most=LONGEST_USE) or None


def read_options(reader: Reader) -> Mapping[str, Any]:
    found = reader.value("options", required=False)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        reader.refuse("options", "`options` must be an object")
        return {}
    if not _is_small(found):
        message = f"`options` may hold {MOST_OPTIONS} values, {DEEPEST_OPTION} deep"
        reader.refuse("options", message, "out_of_range")
        return {}
    inside = Reader(found, (*reader.path, "options"), reader.problems)
    for path, text in texts_in(found):
        if len(text) > LONGEST_OPTION:
            where = ".".join(map(str, path))
            inside.refuse(path[0], f"`{where}` may be {LONGEST_OPTION} characters long", "too_long")
    return found


def _is_small(value: Any) -> bool:
    """Looks level by level, so that no depth is too much for it."""
    level, count = [value], 0
    for _ in range(DEEPEST_OPTION + 1):
        count += len(level)
        if not level or count > MOST_OPTIONS:
            return not level
        level = [inner for one in level for inner in _inside(one)]
    return not level


def _inside(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []
