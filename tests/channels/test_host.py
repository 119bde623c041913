from pathlib import Path

import pytest

from channels import build_host
from channels.errors import (
    BrokenPlugin,
    CannotOpen,
    DuplicateChannel,
    NotAChannel,
    UnknownHook,
    UnsupportedContract,
)
from channels.host import BUILT_IN

A_PLUGIN = """
from channels import hookimpl
from channels.testing import FakeChannel

@hookimpl
def register_channels():
    return [FakeChannel(key={key!r}, channel="sms")]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_the_built_in_channels_are_there_and_say_where_they_come_from() -> None:
    host = build_host(discover=False)
    assert sorted(host.sources.values()) == sorted(f"module {name}" for name in BUILT_IN)
    assert host.sources["fake"] == "module channels.testing.fake"
    assert list(host.channels) == sorted(host.channels)


def test_files_and_packages_of_the_plugins_folder_are_found(folder: Path) -> None:
    (folder / "pigeon.py").write_text(A_PLUGIN.format(key="pigeon"))
    (folder / "owl").mkdir()
    (folder / "owl" / "__init__.py").write_text("from .birds import register_channels\n")
    (folder / "owl" / "birds.py").write_text(A_PLUGIN.format(key="owl"))
    (folder / "_draft.py").write_text("raise RuntimeError")
    (folder / "notes.txt").write_text("not a plugin")
    host = build_host(discover=False, plugins_dir=folder)
    assert set(host.channels) - set(build_host(discover=False).channels) == {"owl", "pigeon"}
    assert host.sources["pigeon"] == f"file {folder / 'pigeon.py'}"


@pytest.fixture
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "raven_channel.py").write_text(A_PLUGIN.format(key="raven"))
    info = folder / "raven-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: raven\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[sojourn.channels]\nraven = raven_channel\n")
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.usefixtures("installed")
def test_an_installed_package_is_found_by_its_entry_point_unless_told_not_to_look() -> None:
    assert build_host().sources["raven"] == "entry point raven of raven 1.2"
    assert "raven" not in build_host(discover=False).channels


@pytest.mark.usefixtures("installed")
def test_a_module_can_be_named_and_is_registered_once() -> None:
    assert build_host(modules=["raven_channel"]).sources["raven"] == "module raven_channel"


def test_two_channels_with_one_key_refuse_to_start_and_both_are_named(folder: Path) -> None:
    (folder / "mail.py").write_text(A_PLUGIN.format(key="smtp"))
    with pytest.raises(DuplicateChannel) as caught:
        build_host(discover=False, plugins_dir=folder)
    assert caught.value.sources == ("module channels.email.smtp", f"file {folder / 'mail.py'}")
    assert all(source in str(caught.value) for source in caught.value.sources)


@pytest.mark.parametrize(
    ("_case", "text", "error"),
    [
        ("misspelt", A_PLUGIN.replace("register_channels", "register_chanels"), UnknownHook),
        ("unmarked", A_PLUGIN.replace("@hookimpl", ""), BrokenPlugin),
        ("broken", "import nothing_of_this_name", BrokenPlugin),
        ("async", A_PLUGIN.replace("def ", "async def "), NotAChannel),
        ("no channel", A_PLUGIN.replace('FakeChannel(key={key!r}, channel="sms")', "1"), NotAChannel),
        ("class", A_PLUGIN.replace('FakeChannel(key={key!r}, channel="sms")', "FakeChannel"), NotAChannel),
        ("raises", A_PLUGIN.replace('[FakeChannel(key={key!r}, channel="sms")]', "1 / 0"), BrokenPlugin),
        (
            "future",
            A_PLUGIN + "\nFakeChannel = type('F', (FakeChannel,), {{'contract_version': 2}})\n",
            UnsupportedContract,
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine 'register_channels' was never awaited:RuntimeWarning")
def test_a_plugin_that_does_not_fit_is_named(
    folder: Path, _case: str, text: str, error: type[CannotOpen]
) -> None:
    (folder / "odd.py").write_text(text.format(key="odd"))
    with pytest.raises(error, match=r"odd\.py"):
        build_host(discover=False, plugins_dir=folder)


def test_a_plugins_folder_that_is_not_there_is_an_error(folder: Path) -> None:
    with pytest.raises(BrokenPlugin, match="does not exist"):
        build_host(discover=False, plugins_dir=folder / "missing")
