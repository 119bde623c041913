"""What the other columns of an uploaded list say: values that the texts of a message show.

Kakao's variables are written `#{name}`, and so may the columns be; without the signs it is the same column.
One that is written so is needed: a line without a value there is told of.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from channels.alimtalk.filling import bare
from server.errors import BadInput

MOST_COLUMNS = 50
LONGEST_NAME = 100
LONGEST_VALUE = 1000
"""As long as a whole Alimtalk may be."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file that name nobody, without their signs, in their order."""

    names: tuple[str, ...] = ()
    needed: frozenset[str] = frozenset()
    """Of these every line has to have a value."""

    def wrong(self, said: Mapping[str, str]) -> str:
        """Why the values of a line cannot be used; empty if they can."""
        for name in self.names:
            value = said.get(name, "")
            if not value and name in self.needed:
                return f"its {name} is empty"
            if len(value) > LONGEST_VALUE:
                return f"its {name} is longer than {LONGEST_VALUE} characters"
        return ""


def read_columns(written: Iterable[str], people: Collection[str], required: Sequence[str] = ()) -> Columns:
    """From the heading of a file. Raises BadInput for two columns of one name, and for too many."""
    others = [name for name in written if name and name.lower() not in people]
    names = tuple(map(bare, others))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"The file has several columns {', '.join(twice)}.")
    if len(names) > MOST_COLUMNS or any(len(name) > LONGEST_NAME for name in names):
        raise BadInput(f"A file has at most {MOST_COLUMNS} more columns, of {LONGEST_NAME} characters each.")
    wanted = [bare(name) for name in required]
    if missing := [name for name in wanted if name not in names]:
        raise BadInput(f"The file has no column {', '.join(missing)}; its columns: {', '.join(names)}.")
    signed = {bare(name) for name in others if name != bare(name)}
    return Columns(names, frozenset((*wanted, *signed)))


def said_in(cells: Mapping[str, str]) -> dict[str, str]:
    """The values of a line by column, without those that are empty."""
    return {bare(name): value for name, value in cells.items() if value}


def written(said: Mapping[str, str]) -> str:
    """As it is kept: the same values are the same text."""
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode() if said else ""
