"""Coupons from CSV files, as shops keep them."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli import cli
from server.errors import BadInput
from server.lists import coupons
from server.store.tables import Coupon, Event
from tests.world import NOON, World

pytestmark = pytest.mark.anyio

FILE = """이름,user_id,code,name,issued_at,expires_at,used_at
김,kim,A1,장바구니 20%,2024-03-13T10:00:00+09:00,2024-03-20,
이,lee,A2,장바구니 20%,2024-03-13 01:00:00,2024-03-20T15:00:00Z,2024-03-14T00:00:00Z
박,park,A3,,,,
최,,A4,,2024-03-13,,
정,jung,A5,,soon,,
한,han,A6,,2024-03-13,whenever,
"""


async def test_a_file_is_taken_line_by_line_and_again_changes_nothing(
    sqlite_world: World, tmp_path: Path
) -> None:
    world, file = sqlite_world, tmp_path / "coupons.csv"
    file.write_bytes(FILE.encode("cp949"))
    for _ in range(2):
        taken = await coupons.take_in(world.db, file, world.project_id, world.shards, NOON)
        await world.settle()
        assert (taken.changed, taken.refused) == (2, 4)
        assert [one.partition(":")[0] for one in taken.problems] == [f"line {n}" for n in (4, 5, 6, 7)]
    one, two = await world.rows(Coupon, "code")
    assert (one.name, one.issued_at, one.expires_at) == ("장바구니 20%", 1_710_291_600_000, 1_710_946_800_000)
    assert (two.issued_at, two.expires_at, two.used_at) == (
        1_710_291_600_000,
        1_710_946_800_000,
        1_710_374_400_000,
    )
    assert len(await world.rows(Event)) == 3


async def test_a_file_without_the_columns_is_refused(sqlite_world: World, tmp_path: Path) -> None:
    file = tmp_path / "coupons.csv"
    file.write_text("user,code\nkim,A1\n")
    with pytest.raises(BadInput, match="no column user_id"):
        await coupons.take_in(sqlite_world.db, file, sqlite_world.project_id, 1, NOON)


def test_operators_type_it(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'sojourn.db'}", tmp_path / "coupons.csv"
    file.write_text("user_id,code,issued_at\nkim,A1,2024-03-13\nlee,,2024-03-13\n")
    for command in (["migrate"], ["project", "create", "Shop"]):
        assert CliRunner().invoke(cli, [*command, "--database", url]).exit_code == 0
    done = CliRunner().invoke(cli, ["coupons", "upload", str(file), "--database", url])
    assert done.exit_code == 1
    assert "1 line(s) taken, 1 refused." in done.output
    assert "line 3: code: 1 to 200 characters" in done.output
