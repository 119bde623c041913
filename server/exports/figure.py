"""Figures as columns: what is in the cell, and the sentence that says so in the documents."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from server.journey.goals import AMOUNT_SCALE

from .sheets import Cell, Column
from .words import Word

S = TypeVar("S")
T = TypeVar("T")


class Figure(NamedTuple, Generic[S]):
    """One column of a sheet of figures, of rows that are made from `S`."""

    column: Column
    says: str
    """For docs/export-columns.md: what it is."""
    of: Callable[[S], Any]

    def seen_from(self, way: Callable[[T], S]) -> "Figure[T]":
        """The same of something that leads to it."""
        of = self.of
        return Figure(self.column, self.says, lambda one: of(way(one)))

    def called(self, ko: str, en: str) -> "Figure[S]":
        """The same under other headings."""
        return self._replace(column=replace(self.column, ko=ko, en=en))


def text(
    name: str,
    ko: str,
    en: str,
    says: str,
    of: Callable[[S], Any],
    words: Mapping[str, Word] | None = None,
) -> Figure[S]:
    return Figure(Column(name, ko, en, words=words), says, of)


def count(name: str, ko: str, en: str, says: str, of: Callable[[S], Any]) -> Figure[S]:
    return Figure(Column(name, ko, en, Cell.COUNT), says, of)


def number(name: str, ko: str, en: str, says: str, of: Callable[[S], Any]) -> Figure[S]:
    return Figure(Column(name, ko, en, Cell.NUMBER), says, of)


def ratio(name: str, ko: str, en: str, says: str, of: Callable[[S], Any]) -> Figure[S]:
    return Figure(Column(name, ko, en, Cell.RATE), says, of)


def time(name: str, ko: str, en: str, says: str, of: Callable[[S], Any]) -> Figure[S]:
    return Figure(Column(name, ko, en, Cell.TIME), says, of)


def rate(part: int | None, whole: int) -> float | None:
    """A part by its whole: a fraction of 1; none of nothing, never 0."""
    return part / whole if whole and part is not None else None


def money(amount: int) -> Decimal:
    """What is kept in ten-thousandths, in the currency's unit."""
    return Decimal(amount) / AMOUNT_SCALE
