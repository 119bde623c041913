"""What a file may hold that a database cannot: refused with a reason, as over HTTP."""

from pathlib import Path

import pytest

from server.ingest.imports import Columns, import_file
from server.store.tables import Event, Quarantine
from tests.world import NOON, World

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "history.jsonl",
            b'{"type": "track", "userId": "k\\u0000im", "event": "a"}\n'
            b'{"type": "track", "userId": "kim", "event": "a", "properties": {"n": 123456789012345678901}}\n'
            b'{"type": "track", "userId": "kim", "event": "a"}\n',
        ),
        ("history.csv", b"event,user_id,timestamp\na,k\0im,\na\0,kim,\na,kim,\n"),
    ],
)
async def test_rows_that_no_database_can_keep_are_refused(
    world: World, tmp_path: Path, name: str, content: bytes
) -> None:
    world.engine.strict = False
    path = tmp_path / name
    path.write_bytes(content)
    done = await import_file(world.db, path, world.project_id, world.shards, Columns(), NOON)
    assert (done.taken, done.refused, len(done.problems)) == (1, 2, 2)
    await world.settle()
    assert len(await world.rows(Event)) == 1
    assert await world.rows(Quarantine) == []
