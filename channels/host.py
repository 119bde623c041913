"""Finds every channel that is plugged in, and refuses to go on when they do not fit together."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pluggy

from channels import hookspecs
from channels.contract import CONTRACT_VERSION, AnyChannel
from channels.errors import BrokenPlugin, DuplicateChannel, NotAChannel, UnknownHook, UnsupportedContract

BUILT_IN = (
    "channels.email.smtp",
    "channels.email.ses",
    "channels.email.sendgrid",
    "channels.in_app.inbox",
    "channels.kakao.solapi",
    "channels.kakao.nhn",
    "channels.kakao.sens",
    "channels.kakao.solapi_brand",
    "channels.kakao.nhn_brand",
    "channels.kakao.sens_brand",
    "channels.push.fcm",
    "channels.push.apns",
    "channels.push.web_push",
    "channels.webhook.endpoint",
    "channels.testing.fake",
)
ENTRY_POINT_GROUP = "sojourn.channels"

_PARTS = ("key", "channel", "title", "contract_version", "settings", "options", "capabilities")
_METHODS = (
    *("problems", "observes", "polls", "concurrency", "probe"),
    *("open", "verify", "parse", "parse_inbound", "reason_of", "poll"),
)


@dataclass(frozen=True)
class Host:
    """What is plugged in."""

    channels: dict[str, AnyChannel] = field(default_factory=dict)
    """By key, in order of key."""
    sources: dict[str, str] = field(default_factory=dict)
    """Where each channel comes from, by key: a module, an entry point or a file."""


def build_host(
    *, discover: bool = True, plugins_dir: str | Path | None = None, modules: Iterable[str] = ()
) -> Host:
    """Gather the built-in channels, installed ones, those of a folder, and modules named one by one.

    `discover=False` leaves installed packages (entry point group `sojourn.channels`) alone. In `plugins_dir`
    every `*.py` file and every folder with an `__init__.py` is a plugin, unless its name starts with `_` or
    `.`. `modules` are dotted names.

    Raises a `CannotOpen` that names the plugin, when one cannot be loaded or does not fit.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT_NAME)
    manager.add_hookspecs(hookspecs)
    for name in (*BUILT_IN, *modules):
        _register(manager, _import(name), f"module {name}")
    if discover:
        for source, plugin in _installed():
            _register(manager, plugin, source)
    if plugins_dir is not None:
        for path in _files(Path(plugins_dir)):
            _register(manager, _load(path), f"file {path}")
    return _gather(manager)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise BrokenPlugin(f"Module {name} cannot be imported: {error!r}. Mend or remove it.") from error


def _installed() -> Iterator[tuple[str, object]]:
    for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
        source = f"entry point {entry.name} of {package}"
        try:
            plugin = entry.load()
        except Exception as error:
            raise BrokenPlugin(
                f"The {source} cannot be loaded: {error!r}. Mend or uninstall the package."
            ) from error
        yield source, plugin


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise BrokenPlugin(f"The plugins folder {folder} does not exist. Make it, or name another.")
    candidates = [path for path in sorted(folder.iterdir()) if not path.name.startswith(("_", "."))]
    packages = [path / "__init__.py" for path in candidates if (path / "__init__.py").is_file()]
    return [path for path in candidates if path.suffix == ".py" and path.is_file()] + packages


def _load(path: Path) -> ModuleType:
    is_package = path.name == "__init__.py"
    stem = path.parent.name if is_package else path.stem
    # A name of its own, so that a file called smtp.py shadows nobody's module.
    name = f"sojourn_plugin_{stem}"
    folders = [str(path.parent)] if is_package else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=folders)
    if spec is None or spec.loader is None:
        raise BrokenPlugin(f"The file {path} cannot be read as a Python module. Mend or remove it.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise BrokenPlugin(f"The file {path} cannot be imported: {error!r}. Mend or remove it.") from error
    return module


def _register(manager: pluggy.PluginManager, plugin: object, source: str) -> None:
    if manager.is_registered(plugin):
        return
    manager.register(plugin, name=source)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise UnknownHook(f"The {source} implements a hook that does not exist: {error}") from error
    if not manager.get_hookcallers(plugin):
        raise BrokenPlugin(
            f"The {source} offers no channel. Give it a function register_channels() marked "
            "with channels.hookimpl that returns a list of channels."
        )


def _gather(manager: pluggy.PluginManager) -> Host:
    found: dict[str, tuple[AnyChannel, str]] = {}
    # We call the implementations ourselves: the collected answer would not say whose is whose.
    for implementation in manager.hook.register_channels.get_hookimpls():
        source = implementation.plugin_name
        for channel in _handed_over(implementation.function, source):
            _check(channel, source)
            if channel.key in found:
                raise DuplicateChannel(channel.key, found[channel.key][1], source)
            found[channel.key] = (channel, source)
    ordered = sorted(found.items())
    return Host(
        channels={key: channel for key, (channel, _) in ordered},
        sources={key: source for key, (_, source) in ordered},
    )


def _handed_over(register: Callable[[], object], source: str) -> Iterable[AnyChannel]:
    try:
        answer = register()
    except Exception as error:
        raise BrokenPlugin(f"register_channels() of the {source} failed: {error!r}. Mend it.") from error
    if not isinstance(answer, Iterable):
        raise NotAChannel(
            f"register_channels() of the {source} returned a {type(answer).__name__}. "
            "Make it a plain function (not async) that returns a list of channels."
        )
    return answer


def _check(channel: AnyChannel, source: str) -> None:
    if isinstance(channel, type):
        raise NotAChannel(
            f"The {source} handed over the class {channel.__name__}: call it to make a channel."
        )
    missing = [part for part in _PARTS if not hasattr(channel, part)]
    missing += [method for method in _METHODS if not callable(getattr(channel, method, None))]
    if missing:
        raise NotAChannel(
            f"The {source} handed over a {type(channel).__name__} that lacks {', '.join(missing)}. "
            "Inherit from channels.BaseChannel and fill in the rest."
        )
    if channel.contract_version != CONTRACT_VERSION:
        raise UnsupportedContract(
            f"Channel {channel.key!r} from the {source} was written for contract {channel.contract_version}; "
            f"this server speaks {CONTRACT_VERSION}. Install a version of the plugin that does, too."
        )
