"""PostgreSQL databases for tests: made once, and put back as they were when a test is done with them.

To make one takes most of a second, to put one back some hundredths.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

TEMPLATE = "sojourn_template"
_REMEMBER = Path(__file__).with_name("pristine.sql").read_text(encoding="utf-8")
_LET_GO = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(slots=True)
class Databases:
    """Those of one PostgreSQL server, for the tests of one process."""

    server: str
    _free: list[str] = field(default_factory=list)

    async def remember(self) -> None:
        """Has the template know how it is now."""
        await _tell(self.url_of(TEMPLATE), _REMEMBER)

    async def take(self) -> str:
        """The name of a migrated database that is as good as new."""
        if self._free:
            return self._free.pop()
        name = f"test_{os.urandom(6).hex()}"
        await _tell(self.server, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" STRATEGY FILE_COPY')
        return name

    async def give_back(self, name: str) -> None:
        """One whose tables were changed is thrown away."""
        bare = await asyncpg.connect(self.url_of(name))
        try:
            await bare.execute(_LET_GO)
            is_restored = await bare.fetchval("SELECT pristine.restore()")
        finally:
            await bare.close()
        if is_restored:
            self._free.append(name)
        else:
            await _tell(self.server, f'DROP DATABASE "{name}" WITH (FORCE)')

    def url_of(self, name: str) -> str:
        return self.server.replace("/postgres?", f"/{name}?")


async def _tell(url: str, statement: str) -> None:
    bare = await asyncpg.connect(url)
    try:
        await bare.execute(statement)
    finally:
        await bare.close()
