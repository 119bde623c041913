"""How long texts become once their variables are filled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from channels.alimtalk.filling import fill_text, variables_in
from channels.alimtalk.findings import Finding, read_toml

from .rules import PACKAGE, RULES, find, quoted

MAY_BE = "may_be_too_long"
_WORDS = read_toml(PACKAGE, "words_variables")
_GUESSES: list[tuple[list[str], int]] = [(one["parts"], one["most"]) for one in _WORDS["lengths"]]


def units(text: str) -> int:
    """The length of a text as relays count it, in UTF-16: an emoji is two. No other way gives more."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def guess(name: str) -> int:
    """How long the value of a variable may become, by its name."""
    small = name.lower()
    return next(most for parts, most in _GUESSES if any(part in small for part in parts))


@dataclass(frozen=True, slots=True)
class Length:
    """How long a text becomes."""

    least: int
    """With the values that are known, and nothing for the others."""
    most: int
    """With a guess for the others."""
    guessed: tuple[str, ...]
    """The variables of which nothing is known."""


def measure(text: str, values: Mapping[str, str]) -> Length:
    names = variables_in(text)
    if not names:
        known = units(text)
        return Length(known, known, ())
    guessed = [name for name in names if name not in values]
    least = units(fill_text(text, {**dict.fromkeys(guessed, ""), **values}))
    return Length(least, least + sum(guess(name) for name in guessed), tuple(dict.fromkeys(guessed)))


@dataclass(frozen=True, slots=True)
class Limited:
    """A text that may become so long."""

    rule: str
    path: tuple[str | int, ...]
    field: str
    text: str
    limit: int

    def look(self, values: Mapping[str, str]) -> Iterator[Finding]:
        """What is wrong with its length, once it is filled with these values."""
        if len(self.text) * 2 <= self.limit and "#{" not in self.text:
            return
        length = measure(self.text, values)
        if length.least > self.limit:
            yield self._too_long(length.least)
        elif length.most > self.limit and MAY_BE in RULES[self.rule].says:
            # Where variables are not filled that they stand there is told.
            about = {"length": length.most, "limit": self.limit, "names": quoted(length.guessed)}
            yield find(self.rule, MAY_BE, *self.path, field=self.field, **about)

    def look_filled(self) -> Iterator[Finding]:
        """The same of a text that has been filled."""
        if len(self.text) * 2 > self.limit and (length := units(self.text)) > self.limit:
            yield self._too_long(length)

    def _too_long(self, length: int) -> Finding:
        about = {"length": length, "limit": self.limit, "over": length - self.limit}
        return find(self.rule, "too_long", *self.path, field=self.field, **about)
