"""Tables of providers' codes: data files beside the adapters, each with its version and its source.

A file is CSV with the columns `code,reason,meaning`. Lines before the header that begin with `#` say
`# version: 2026-11-22` and `# source: …`. A code may end in `*` and then stands for all that begin so; the
longest that fits wins, so that a code which the provider adds tomorrow still has a reason by its range.
"""

import csv
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from channels.reasons import Reason


@dataclass(frozen=True)
class CodeTable:
    """What a provider's codes mean in our words."""

    version: str
    source: str
    exact: dict[str, Reason] = field(repr=False)
    by_prefix: dict[str, Reason] = field(repr=False)
    meanings: dict[str, str] = field(repr=False)

    def reason(self, code: str | int, default: Reason = Reason.UNKNOWN) -> Reason:
        """The reason of a code, by its range if it is not listed; `default` if that is not listed either."""
        wanted = str(code)
        if wanted in self.exact:
            return self.exact[wanted]
        fitting = [prefix for prefix in self.by_prefix if wanted.startswith(prefix)]
        return self.by_prefix[max(fitting, key=len)] if fitting else default

    def listed(self, code: str) -> Reason | None:
        """The reason of a code that the table has, itself or by its range; None for any other."""
        is_there = code in self.exact or any(code.startswith(prefix) for prefix in self.by_prefix)
        return self.reason(code) if is_there else None

    def knows(self, code: str | int) -> bool:
        """Whether the code itself is listed."""
        return str(code) in self.exact


@cache
def load(package: str, name: str) -> CodeTable:
    """The table in the file `name` of a package, e.g. `load("channels.push", "fcm_codes.csv")`.

    Raises ValueError for a file that is no such table.
    """
    return read(files(package).joinpath(name).read_text("utf-8"), name)


def read(text: str, name: str = "the table") -> CodeTable:
    """A table from its text. Raises ValueError that names the line."""
    lines = text.splitlines()
    about = dict(_about(line) for line in lines if line.startswith("#"))
    if not about.get("version") or not about.get("source"):
        raise ValueError(f"{name} wants lines `# version: …` and `# source: …` before its header.")
    table = CodeTable(about["version"], about["source"], {}, {}, {})
    for row in csv.DictReader(line for line in lines if line.strip() and not line.startswith("#")):
        _add(table, row, name)
    return table


def _about(line: str) -> tuple[str, str]:
    word, _, value = line.lstrip("# ").partition(":")
    return word.strip(), value.strip()


def _add(table: CodeTable, row: dict[str, str], name: str) -> None:
    code, reason = row.get("code") or "", row.get("reason") or ""
    if not code or reason not in set(Reason):
        raise ValueError(f"{name}: the line of code {code!r} wants one of our reasons, found {reason!r}.")
    where, key = (table.by_prefix, code[:-1]) if code.endswith("*") else (table.exact, code)
    if key in where:
        raise ValueError(f"{name}: the code {code!r} is there twice.")
    where[key] = Reason(reason)
    table.meanings[code] = row.get("meaning") or ""
