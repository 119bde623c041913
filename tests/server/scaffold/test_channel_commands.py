"""What a channel's author types: new, check, list."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from channels import build_host
from channels.testing.evidence import NOW, sample_message
from server.cli import cli
from server.errors import ServerError
from server.scaffold.write import CHANNELS, CannotScaffold, scaffold

ROOT = Path(__file__).parents[3]


def sojourn(*words: str) -> Result:
    return CliRunner().invoke(cli, ["channel", *words])


def alone(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), str(folder)])
    environment = {**os.environ, "PYTHONPATH": path, "MYPYPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def parrot(tmp_path: Path) -> Path:
    assert sojourn("new", "parrot", "--into", str(tmp_path)).exit_code == 0
    return tmp_path / "sojourn-parrot"


def test_a_new_channel_passes_its_own_tests_at_once(parrot: Path) -> None:
    run = alone(parrot, "pytest", "-q", "-p", "no:cacheprovider")
    assert run.returncode == 0, run.stdout
    assert "12 passed" in run.stdout


def test_every_kind_of_channel_is_written_clean_however_long_its_name(tmp_path: Path) -> None:
    for channel in CHANNELS:
        for name in ("p", "a_parrot_of_forty_letters_that_is_long_1"):
            scaffold(name, channel, tmp_path / channel)
    for check in (("check", "--no-cache"), ("format", "--check", "--no-cache")):
        run = alone(tmp_path, "ruff", *check, ".")
        assert run.returncode == 0, run.stdout


@pytest.mark.slow
def test_a_new_channel_is_strictly_typed(parrot: Path) -> None:
    run = alone(parrot, "mypy", "--follow-imports", "silent", ".")
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_new_channel_of_any_kind_is_found_in_a_folder(tmp_path: Path, channel: str) -> None:
    scaffold("parrot", channel, tmp_path)
    found = build_host(discover=False, plugins_dir=tmp_path / "sojourn-parrot").channels["parrot"]
    assert found.channel == channel
    assert set(found.capabilities.content) == set(CHANNELS[channel])
    assert sample_message(found, NOW).to


def test_a_new_channel_is_found_by_its_dotted_name(parrot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(parrot))
    assert "parrot" in build_host(discover=False, modules=["sojourn_parrot"]).channels
    result = sojourn("check", "sojourn_parrot")
    assert result.exit_code == 0, result.output
    assert "parrot (Parrot)" in result.output


def test_the_check_is_run_over_a_channel_in_a_folder_and_tells_what_is_wrong(parrot: Path) -> None:
    result = sojourn("check", "parrot", "--plugins-dir", str(parrot))
    assert result.exit_code == 0, result.output
    assert result.output.count("well") == 12
    module = parrot / "sojourn_parrot" / "__init__.py"
    module.write_text(module.read_text().replace('title = "Parrot"', 'title = " "'))
    result = sojourn("check", "parrot", "--plugins-dir", str(parrot))
    assert result.exit_code == 1
    assert "wrong  names and capabilities" in result.output
    assert "title is empty" in result.output


def test_the_check_takes_settings_from_a_file_and_says_what_is_wrong_with_them(
    parrot: Path, tmp_path: Path
) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"api_key": "k" * 10}))
    where = ("--settings", str(file), "--plugins-dir", str(parrot))
    assert sojourn("check", "parrot", *where).exit_code == 0
    file.write_text(json.dumps({"api_kee": "k"}))
    assert "api_kee: Extra inputs" in str(sojourn("check", "parrot", *where).exception)
    file.write_text("{")
    assert "is not JSON" in str(sojourn("check", "parrot", *where).exception)


def test_a_channel_that_nobody_has_is_not_checked() -> None:
    error = sojourn("check", "nobody").exception
    assert isinstance(error, ServerError)
    assert "No channel and no module is called 'nobody'" in str(error)


def test_the_list_says_where_each_channel_comes_from(parrot: Path) -> None:
    output = sojourn("list", "--plugins-dir", str(parrot)).output
    assert "smtp         email    Email over SMTP — module channels.email.smtp" in output
    assert f"parrot       sms      Parrot — file {parrot / 'sojourn_parrot' / '__init__.py'}" in output


@pytest.mark.parametrize(
    "name", ["", "Parrot", "2birds", "a-b", "a__b", "a_", "../up", "class", "x" * 41, "앵무"]
)
def test_a_name_that_cannot_be_one_is_refused_with_a_reason(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotScaffold, match=r"name|word of Python"):
        scaffold(name, "sms", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    error = sojourn("new", "smtp", "--into", str(tmp_path)).exception
    assert "called 'smtp' is plugged in already" in str(error)
    with pytest.raises(CannotScaffold, match="is one of email"):
        scaffold("parrot", "smoke", tmp_path)


def test_nothing_is_written_over_anything(parrot: Path) -> None:
    before = {path: path.read_bytes() for path in parrot.rglob("*") if path.is_file()}
    error = sojourn("new", "parrot", "--channel", "push", "--into", str(parrot.parent)).exception
    assert "is there already" in str(error)
    assert {path: path.read_bytes() for path in parrot.rglob("*") if path.is_file()} == before


def test_the_templates_are_part_of_the_package() -> None:
    names = {path.name for path in (ROOT / "server" / "scaffold").iterdir() if path.suffix == ".txt"}
    assert names == {"pyproject.txt", "readme.txt", "module.txt", "codes.txt", "test.txt"}
    assert '"*.txt"' in (ROOT / "pyproject.toml").read_text()
