"""Which way the doors open: who may import whom."""

import sys
from pathlib import Path

import pytest

from .doors import Import, imports, imports_of, is_in

OURS = ("server", "channels", "plugins")
WORDS = ("channels.contract", "channels.reasons", "channels.errors")
"""What a channel is and says. The server knows these, and never a particular channel."""

EVERYBODYS = (
    "server.clock",
    "server.errors",
    "server.observe",
    "server.patience",
    "server.signing",
    "server.body",
    "server.formulas",
    "server.global_ids",
)
"""Small rooms without a subject of their own."""

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "server.journey": (),
    "server.recognising": (),
    "server.commerce": ("server.journey",),
    "server.alimtalk": ("channels.alimtalk", "channels.reasons", "server.clock"),
    "server.store": (
        "server.journey",
        "server.alimtalk",
        "server.clock",
        "server.errors",
        "server.secretbox",
        "channels.host",
        "channels.alimtalk",
        *WORDS,
    ),
    "server.segments": (
        "server.store",
        "server.journey",
        "server.aggregates",
        "server.delivery.bursts",
        "server.delivery.status",
        "server.clock",
        "server.errors",
    ),
    "server.templates": ("server.clock", "server.errors", "server.journey", "server.ingest.segment_time"),
    "server.ingest": ("server.store", "server.clock", "server.errors", "server.observe", "server.body"),
    "server.aggregates": (
        "server.store",
        "server.journey",
        "server.commerce",
        "server.clock",
        "server.errors",
        "server.delivery.bursts",
        "server.delivery.costs",
        "server.delivery.status",
        *WORDS,
    ),
    "server.engine": (
        "server.store",
        "server.segments",
        "server.journey",
        "server.commerce",
        "server.aggregates",
        "server.delivery.bursts",
        "server.delivery.costs",
        "server.delivery.fallbacks",
        "server.delivery.guard",
        "server.delivery.receipts",
        "server.delivery.status",
        "server.ingest.messages",
        "server.ingest.segment_time",
        "server.recognising",
        "channels.phone",
        *EVERYBODYS,
        *WORDS,
    ),
    "server.delivery": (
        "server.store",
        "server.journey",
        "server.alimtalk",
        "server.aggregates",
        "server.templates",
        "server.engine.leases",
        "server.engine.catalog",
        "server.config",
        "server.secretbox",
        "server.user_tokens",
        "server.egress",
        "channels",
        *EVERYBODYS,
    ),
    "server.desks": (
        "server.store",
        "server.alimtalk",
        "server.delivery.hiding",
        "server.engine.leases",
        "server.secretbox",
        "channels",
        *EVERYBODYS,
    ),
    "server.cohorts": (
        "server.store",
        "server.segments",
        "server.journey",
        "server.aggregates",
        "server.clock",
        "server.errors",
    ),
    "server.exports": (
        "server.store",
        "server.segments",
        "server.journey",
        "server.aggregates",
        "server.cohorts",
        "server.engine.leases",
        "server.delivery.bursts",
        "server.delivery.status",
        "server.config",
        "server.secretbox",
        "channels.host",
        *EVERYBODYS,
        *WORDS,
    ),
    "server.rehearsal": (
        "server.store",
        "server.alimtalk",
        "channels.alimtalk",
        "server.journey",
        "server.aggregates",
        "server.engine",
        "server.delivery",
        "server.files",
        "server.ingest",
        "server.loaders",
        "server.config",
        "channels.host",
        *EVERYBODYS,
        *WORDS,
    ),
    "server.resolvers": (
        "server.store",
        "server.desks",
        "server.segments",
        "server.journey",
        "server.alimtalk",
        "server.commerce",
        "server.aggregates",
        "server.delivery",
        "server.templates",
        "server.engine.commands",
        "server.loaders",
        "server.context",
        "server.config",
        "server.secretbox",
        "server.ingest",
        "server.rehearsal",
        "server.exports",
        "server.cohorts",
        "channels",
        *EVERYBODYS,
    ),
}
"""Beside itself and packages that are not ours. A room that is not listed stands above these."""


def beyond(room: str, allowed: tuple[str, ...]) -> list[str]:
    return [
        str(one)
        for one in imports(room.replace(".", "/"))
        if is_in(one.wanted, *OURS) and not is_in(one.wanted, room, *allowed)
    ]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_stands_on(room: str) -> None:
    assert beyond(room, MAY_IMPORT[room]) == []


def test_channels_and_plugins_never_import_the_server() -> None:
    assert [str(one) for one in imports("channels", "plugins") if is_in(one.wanted, "server")] == []


def test_the_core_needs_only_the_standard_library() -> None:
    outside = [
        str(one)
        for one in imports("server/journey")
        if not is_in(one.wanted, "server.journey") and one.wanted.split(".")[0] not in sys.stdlib_module_names
    ]
    assert outside == []


def test_alimtalk_is_pure() -> None:
    ours = ("server.alimtalk", *MAY_IMPORT["server.alimtalk"])
    outside = [
        str(one)
        for one in imports("server/alimtalk")
        if not is_in(one.wanted, *ours) and one.wanted.split(".")[0] not in sys.stdlib_module_names
    ]
    assert outside == []


def test_the_contract_needs_only_the_standard_library_at_run_time() -> None:
    outside = [
        str(one)
        for one in imports("channels")
        if one.module in WORDS
        and not one.for_types
        and not is_in(one.wanted, *WORDS)
        and one.wanted.split(".")[0] not in sys.stdlib_module_names
    ]
    assert outside == []


def test_the_server_knows_no_particular_channel() -> None:
    """Those that are built in are dotted names in channels/host.py, as a plugin's would be."""
    particular = ("channels.email", "channels.push", "channels.kakao", "channels.in_app", "plugins")
    found = [one for one in imports("server") if is_in(one.wanted, *particular)]
    assert [str(one) for one in found] == []


def test_the_schema_speaks_no_sql() -> None:
    assert [
        str(one)
        for one in imports("server/schema")
        if is_in(one.wanted, "sqlalchemy", "sqlmodel", "server.store.database", "server.store.sessions")
    ] == []


def test_nobody_below_knows_the_schema_or_the_routes() -> None:
    below = (
        *("store", "journey", "ingest", "engine", "delivery"),
        *("aggregates", "cohorts", "templates", "resolvers"),
    )
    found = imports(*(f"server/{room}" for room in below))
    assert [str(one) for one in found if is_in(one.wanted, "server.schema", "server.routes")] == []


def test_only_what_serves_it_and_the_demo_know_the_app() -> None:
    above = ("server.cli", "server.serving", "server.demo")
    found = [one for one in imports("server", "channels", "plugins") if is_in(one.wanted, "server.app")]
    assert [str(one) for one in found if not is_in(one.module, *above)] == []


def test_the_walk_sees_every_way_of_importing(tmp_path: Path) -> None:
    path = tmp_path / "two.py"
    path.write_text(
        "import a.b\nfrom c import d\nfrom . import e\nfrom ..f import g\n"
        "from typing import TYPE_CHECKING\n\n"
        "def inside():\n    import h\n\n"
        "if TYPE_CHECKING:\n    from i import j\n"
    )
    found = list(imports_of("room.one.two", path))
    wanted = {"a.b", "c.d", "room.one.e", "room.f.g", "typing.TYPE_CHECKING", "h", "i.j"}
    assert {one.wanted for one in found} == wanted
    assert [one.wanted for one in found if one.for_types] == ["i.j"]
    assert Import("room.one.two", "a.b", 1, False) in found
