"""Journeys as files, as a team types it: on the database beside a server, and on a server with a key."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bench._server import Server
from server.cli import cli
from server.errors import NotFound, Refused, ServerError
from server.library import NAMES

Sojourn = Callable[..., Result]

CART = """\
handle: cart
title: 장바구니
graph:
  steps:
    - entryEvent: {key: cart, event: add_to_cart}
    - delay:
        key: hour
        duration: 1h
    - split:
        key: bought
        branches:
          - output: yes
            conditions:
              - did: {event: purchase}
    - exit: {key: done}
    - exit: {key: lost}
  edges:
    - {from: cart, to: hour}
    - {from: hour, to: bought}
    - {from: bought, output: yes, to: done}
    - {from: bought, output: otherwise, to: lost}
"""


@pytest.fixture
def sojourn(tmp_path: Path) -> Sojourn:
    runner = CliRunner(env={"SOJOURN_DATABASE_URL": f"sqlite:///{tmp_path}/shop.db"})

    def run(*arguments: str | Path) -> Result:
        return runner.invoke(cli, list(map(str, arguments)))

    assert run("project", "create", "Shop").exit_code == 0
    return run


@pytest.fixture
def cart(tmp_path: Path) -> Path:
    file = tmp_path / "cart.yaml"
    file.write_text(CART, encoding="utf-8")
    return file


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_file_is_applied_again_and_again(sojourn: Sojourn, cart: Path) -> None:
    dry = sojourn("journey", "apply", cart, "--dry-run", "--exit-code")
    assert (dry.exit_code, "cart would be created" in dry.output) == (3, True)
    made = sojourn("journey", "apply", cart, "--publish", "--start")
    assert made.exit_code == 0
    assert "cart created" in made.output
    assert "published as version 1" in made.output
    assert "started" in made.output
    again = sojourn("journey", "apply", cart, "--publish", "--start")
    assert (again.exit_code, again.output) == (0, f"{cart}: cart unchanged\n")
    settled = sojourn("journey", "apply", cart, "--dry-run", "--publish", "--exit-code")
    assert settled.exit_code == 0
    assert sojourn("journey", "list").output == "cart  running, version 1  장바구니\n"


def test_a_change_is_told_before_it_is_made(sojourn: Sojourn, cart: Path) -> None:
    sojourn("journey", "apply", cart, "--publish", "--start")
    change(cart, "duration: 1h", "duration: 1h 30m")
    change(cart, "title: 장바구니", "title: 카트")
    change(cart, "otherwise, to: lost", "otherwise, to: done")
    change(cart, "    - exit: {key: lost}\n", "")
    told = sojourn("journey", "apply", cart, "--dry-run", "--exit-code")
    assert told.exit_code == 3
    assert told.output.splitlines()[1:] == [
        "  ~ step hour (delay)",
        "      duration: 1h → 1h 30m",
        "  - step lost (exit)",
        "  ~ edge bought.otherwise: lost → done",
        "  ~ title: 장바구니 → 카트",
        "  0 inside",
    ]
    assert "version 1  장바구니" in sojourn("journey", "list").output
    published = sojourn("journey", "apply", cart, "--publish", "--inside", "move")
    assert "published as version 2" in published.output
    assert "version 2  카트" in sojourn("journey", "list").output


def test_without_publish_a_file_is_a_draft_that_can_be_published_later(sojourn: Sojourn, cart: Path) -> None:
    assert sojourn("journey", "apply", cart).exit_code == 0
    assert "never published" in sojourn("journey", "list").output
    assert "published as version 1" in sojourn("journey", "apply", cart, "--publish").output


def test_everything_that_is_wrong_is_told_with_its_line(sojourn: Sojourn, cart: Path) -> None:
    change(cart, "duration: 1h", "duration: 1000d")
    change(cart, "otherwise, to: lost", "elsewhere, to: lost")
    refused = sojourn("journey", "apply", cart, "--publish")
    assert refused.exit_code == 1
    lines = refused.stderr.splitlines()
    assert [line.split(": ")[0].removeprefix(f"{cart}") for line in lines] == [":8:9", ":9:7", ":21:22"]
    assert sojourn("journey", "list").output == ""


def test_every_word_that_the_api_does_not_know_is_told_with_its_line(sojourn: Sojourn, cart: Path) -> None:
    change(cart, "duration: 1h", "durration: 1h")
    change(cart, "event: purchase", "event: [purchase]")
    change(cart, "exit: {key: done}", "exlt: {key: done}")
    change(cart, "handle: cart\ntitle: 장바구니\n", "handle: cart\nmood: good\n")
    refused = sojourn("journey", "apply", cart)
    assert refused.exit_code == 1
    lines = [line.removeprefix(f"{cart}:") for line in refused.stderr.splitlines()]
    assert {int(line.split(":")[0]) for line in lines} == {1, 2, 8, 14, 15}
    assert any("durration" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("title: [", "1:9: This is no YAML"),
        (CART.replace("handle: cart\n", ""), "1:1: `handle` is missing"),
        ("handle: cart\ntitle: Cart\n", "1:1: `graph` is missing"),
        (CART.replace("1h", "soon"), "8:9: `duration` is written like `1h 30m`"),
    ],
)
def test_a_file_that_cannot_be_applied_says_why(sojourn: Sojourn, cart: Path, text: str, why: str) -> None:
    cart.write_text(text, encoding="utf-8")
    refused = sojourn("journey", "apply", cart)
    assert (refused.exit_code, f"{cart}:{why}" in refused.stderr) == (1, True)


def test_of_several_files_all_are_taken_or_none(sojourn: Sojourn, cart: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("title: {", encoding="utf-8")
    assert sojourn("journey", "apply", cart, other).exit_code == 1
    assert sojourn("journey", "list").output == ""
    other.write_text(CART.replace("handle: cart", "handle: other"), encoding="utf-8")
    assert sojourn("journey", "apply", cart, other).exit_code == 0
    assert len(sojourn("journey", "list").output.splitlines()) == 2


def test_what_is_exported_can_be_imported(sojourn: Sojourn, cart: Path, tmp_path: Path) -> None:
    sojourn("journey", "apply", cart, "--publish")
    out = tmp_path / "out.json"
    assert sojourn("journey", "export", "cart", "--format", "json", "--output", out).exit_code == 0
    assert (
        json.loads(out.read_text(encoding="utf-8"))["graph"]["steps"][1]["delay"]["durationSeconds"] == 3600
    )
    taken = sojourn("journey", "import", out)
    assert (taken.exit_code, "Another journey" in taken.stderr) == (1, True)
    imported = sojourn("journey", "import", out, "--handle", "copy")
    assert (imported.exit_code, "created as" in imported.output) == (0, True)
    text = sojourn("journey", "export", "copy@1")
    assert isinstance(text.exception, NotFound)
    text = sojourn("journey", "export", "copy")
    assert text.output == sojourn("journey", "export", "cart@1").output.replace(
        "handle: cart", "handle: copy"
    )
    assert sojourn("journey", "diff", "cart@1", out).output == "Both say the same.\n"


def test_what_is_drawn_half_can_be_imported_and_says_what_is_missing(sojourn: Sojourn, cart: Path) -> None:
    change(cart, "    - {from: bought, output: yes, to: done}\n", "")
    done = sojourn("journey", "import", cart)
    assert (done.exit_code, f"{cart}:9:7: Output 'yes' of step 'bought' leads nowhere." in done.stderr) == (
        0,
        True,
    )


def test_two_drawings_are_compared(sojourn: Sojourn, cart: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(CART.replace("1h", "2h").replace("장바구니", "카트"), encoding="utf-8")
    told = sojourn("journey", "diff", cart, other, "--exit-code")
    assert told.exit_code == 3
    assert told.output.splitlines() == [
        "~ step hour (delay)",
        "    duration: 1h → 2h",
        "~ title: 장바구니 → 카트",
    ]
    assert sojourn("journey", "diff", cart, cart, "--exit-code").exit_code == 0


def test_a_journey_that_is_not_there_is_told(sojourn: Sojourn) -> None:
    for name in ("nothing", "Sm91cm5leTo5"):
        assert isinstance(sojourn("journey", "export", name).exception, NotFound)
    assert sojourn("journey", "export", "cart@two").exit_code == 2


def test_start_without_publish_is_refused(sojourn: Sojourn, cart: Path) -> None:
    assert sojourn("journey", "apply", cart, "--start").exit_code == 2
    assert sojourn("journey", "apply", cart, "--inside", "end").exit_code == 2


def test_a_server_wants_a_key_and_no_database(sojourn: Sojourn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOJOURN_KEY", raising=False)
    assert isinstance(sojourn("journey", "list", "--url", "http://127.0.0.1:9").exception, Refused)
    monkeypatch.setenv("SOJOURN_KEY", "sj_secret_x")
    assert isinstance(sojourn("journey", "list", "--url", "http://127.0.0.1:9").exception, ServerError)
    assert (
        sojourn("journey", "list", "--url", "http://127.0.0.1:9", "--database", "sqlite:///x").exit_code == 2
    )


def test_a_server_elsewhere_is_asked_as_the_database_is(
    cart: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server")
    server.start()
    monkeypatch.setenv("SOJOURN_KEY", server.keys["secretKey"])
    there, beside = ("--url", server.url), ("--database", server.database)
    try:
        runner = CliRunner()
        made = runner.invoke(cli, ["journey", "apply", str(cart), "--publish", "--start", *there])
        assert (made.exit_code, "published as version 1" in made.output) == (0, True)
        # What a command has written into the database beside the server, the server knows.
        for step in ("3h", "4h"):
            change(cart, "duration: 1h" if step == "3h" else "duration: 3h", f"duration: {step}")
            way = beside if step == "3h" else there
            done = runner.invoke(cli, ["journey", "apply", str(cart), "--publish", *way])
            assert done.exit_code == 0
        assert "published as version 3" in done.output
        assert "running, version 3" in runner.invoke(cli, ["journey", "list", *beside]).output
        monkeypatch.setenv("SOJOURN_KEY", "sj_secret_wrong")
        assert isinstance(runner.invoke(cli, ["journey", "list", *there]).exception, ServerError)
    finally:
        server.stop()


def test_a_ready_journey_becomes_a_draft_or_a_file(sojourn: Sojourn, tmp_path: Path) -> None:
    listed = sojourn("journey", "templates", "--language", "ko").output
    assert all(f"{name}: " in listed for name in NAMES)
    made = sojourn("journey", "new", "--template", "win-back", "--language", "ko", "--handle", "back")
    assert (made.exit_code, made.output.startswith("다시 만나요: created as ")) == (0, True)
    assert "handle: back\ntitle: 다시 만나요\n" in sojourn("journey", "export", "back").output
    file = tmp_path / "welcome.yaml"
    assert (
        sojourn("journey", "new", "--template", "welcome", "--title", "Hi", "--output", file).exit_code == 0
    )
    assert file.read_text(encoding="utf-8").startswith("handle: welcome\ntitle: Hi\n")
    assert sojourn("journey", "new", "--template", "welcome", "--output", file).exit_code == 1
    no_mail = sojourn("journey", "apply", file)
    assert "There is no connection for email" in no_mail.stderr
    assert sojourn("journey", "import", file).exit_code == 0
    assert sojourn("journey", "diff", "welcome", file).output == "Both say the same.\n"
