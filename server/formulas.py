"""Cells of CSV files that a spreadsheet would take for formulas.

Such a cell is written with an apostrophe before it, which reading takes off again. A telephone number (+ and
digits) is left as it is: as a formula it is only its own value.
"""

import re

_NUMBER = re.compile(r"\+\d{1,20}")
# The wide forms are what keyboards for Chinese, Japanese and Korean write; some programs take them as well.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")


def guarded(cell: str) -> str:
    """The cell as it is written: nobody's program takes it for a formula."""
    return "'" + cell if cell.startswith(_DANGEROUS) and not _NUMBER.fullmatch(cell) else cell


def plain(cell: str) -> str:
    """The cell as it was before `guarded`."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_DANGEROUS) else cell
