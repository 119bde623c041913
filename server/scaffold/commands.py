"""`sojourn channel …`: for those who write channels, and those who want to see what is plugged in."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.errors import ServerError
from server.scaffold.write import CHANNELS, scaffold

if TYPE_CHECKING:
    from channels.contract import AnyChannel
    from channels.host import Host

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_plugins_dir = click.option("--plugins-dir", metavar="DIR", help="Instead of SOJOURN_PLUGINS_DIR.")


class CannotCheck(ServerError):
    """There is no such channel, or no settings to check it with."""


@click.group()
def channel() -> None:
    """Channels: what is plugged in, a new one, and whether one keeps the contract."""


@channel.command("list")
@_plugins_dir
def list_channels(plugins_dir: str | None) -> None:
    """Lists the channels that are plugged in, and where each comes from."""
    host = _host(plugins_dir)
    for key, one in host.channels.items():
        click.echo(f"{key:<12} {one.channel:<8} {one.title} — {host.sources[key]}")


@channel.command("new")
@click.argument("name")
@click.option("--channel", "kind", type=click.Choice(list(CHANNELS)), default="sms", show_default=True)
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=Path(), metavar="DIR")
def new_channel(name: str, kind: str, into: Path) -> None:
    """Writes an installable package for a new channel; it passes all checks as it is."""
    written = scaffold(name, kind, into, taken=_host(None).channels)
    for path in written:
        click.echo(f"  {path}")
    click.echo("Next: install it with `pip install -e`, run its tests with `python -m pytest`, change it.")


@channel.command("check")
@click.argument("name")
@click.option("--settings", "file", type=_FILE, metavar="FILE", help="JSON with the settings.")
@_plugins_dir
def check_channel(name: str, file: Path | None, plugins_dir: str | None) -> None:
    """Checks whether a channel keeps the contract; exits with 1 if it does not.

    NAME is a channel's key, or a module that hands one over. HTTP is cut off: nothing is sent that way.
    Without a FILE of settings (JSON), the channel's defaults and made-up values are taken.
    """
    sound = True
    for one in _named(name, plugins_dir):
        click.echo(f"{one.key} ({one.title})")
        sound = asyncio.run(_check(one, _settings_of(one, file))) and sound
    if not sound:
        sys.exit(1)


def _host(plugins_dir: str | None, *modules: str) -> "Host":
    import os

    from channels.host import build_host
    from server.config import Settings

    settings = Settings.from_environ(os.environ)
    folder = plugins_dir or settings.plugins_dir or None
    return build_host(discover=settings.discover_plugins, plugins_dir=folder, modules=modules)


def _named(name: str, plugins_dir: str | None) -> "list[AnyChannel]":
    host = _host(plugins_dir)
    if name in host.channels:
        return [host.channels[name]]
    if "." not in name and not _can_be_imported(name):
        raise CannotCheck(
            f"No channel and no module is called {name!r}. Plugged in are {', '.join(host.channels)}."
        )
    sources = (f"module {name}", f"entry point {name}")
    host = _host(plugins_dir, name)
    return [one for key, one in host.channels.items() if host.sources[key].startswith(sources)]


def _can_be_imported(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def _settings_of(one: "AnyChannel", file: Path | None) -> Any:
    from pydantic import ValidationError

    from server.scaffold.made_up import made_up

    try:
        given = json.loads(file.read_text("utf-8")) if file else made_up(one.settings)
        return one.settings.model_validate(given)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise CannotCheck(
            f"The settings of {one.key!r} are not right: {told}. Name a JSON file of good ones: --settings."
        ) from None
    except ValueError as error:
        raise CannotCheck(f"{file} is not JSON: {error}.") from error


async def _check(one: "AnyChannel", settings: Any) -> bool:
    from channels.testing import Evidence
    from channels.testing.check import GROUPS, findings

    evidence, sound = Evidence(channel=one, settings=settings), True
    for group, about in GROUPS.items():
        found = await findings(evidence, group)
        mark = click.style("wrong", fg="red") if found else click.style("well ", fg="green")
        click.echo(f"  {mark}  {about}")
        for finding in found:
            click.echo(f"         - {finding}")
        sound = sound and not found
    return sound
