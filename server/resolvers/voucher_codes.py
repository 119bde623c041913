"""Codes for a pool of vouchers as they are handed in: a list, or a text with one a line."""

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple

COLUMN = "code"
LONGEST_CODE = 200


class Code(NamedTuple):
    """One code as it was handed in, or why it is none."""

    line: int
    code: str
    wrong: str = ""


class Sorted(NamedTuple):
    """What came of some codes: those that are good, and those that are not, with why."""

    good: list[Code]
    refused: list[Code]


def in_text(lines: Iterable[str]) -> Iterator[Code]:
    """The codes of a CSV text: its column `code`; without a heading that names it the first column."""
    reader, column, is_first = csv.reader(lines), 0, True
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Code(reader.line_num, "", f"it cannot be read: {error}")
            continue
        if is_first:
            is_first, heading = False, [cell.strip().lstrip("\ufeff").lower() for cell in row]
            if COLUMN in heading:
                column = heading.index(COLUMN)
                continue
        if any(cell.strip() for cell in row):
            yield checked(reader.line_num, row[column] if column < len(row) else "")


def checked(line: int, cell: str) -> Code:
    """A cell as a code."""
    code = cell.strip()
    if not code:
        return Code(line, "", "there is no code")
    if len(code) > LONGEST_CODE:
        return Code(line, code[:LONGEST_CODE], f"a code has at most {LONGEST_CODE} characters")
    if not code.isprintable():
        return Code(line, code.encode("unicode_escape").decode(), "it holds characters that cannot be seen")
    return Code(line, code)


def sort(codes: Iterable[Code]) -> Sorted:
    """Each code once: of those that are repeated the first is good."""
    lines: dict[str, int] = {}
    found = Sorted([], [])
    for one in codes:
        if one.wrong:
            found.refused.append(one)
        elif one.code in lines:
            found.refused.append(one._replace(wrong=f"it is in line {lines[one.code]} already"))
        else:
            lines[one.code] = one.line
            found.good.append(one)
    return found


def known_already(one: Code, pool_id: int, here: int) -> Code:
    """A code that the project has, as one that is refused."""
    where = "this pool" if pool_id == here else "another pool"
    return one._replace(wrong=f"{where} has it already")
