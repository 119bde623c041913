"""Writes a plugin package for a new channel. Nothing that is there already is touched."""

import keyword
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from string import Template

from server.errors import ServerError

CHANNELS = {
    "email": ("subject", "html", "text", "from_name", "reply_to"),
    "push": ("title", "text", "url", "image_url"),
    "sms": ("text", "title", "image_url"),
    "whatsapp": ("template", "language", "text", "media_url"),
    "kakao": ("template", "text", "title"),
    "brand_message": ("text", "template"),
    "in_app": ("title", "text", "url", "image_url"),
    "webhook": ("text",),
}
"""The kinds of channel, and the content fields that every adapter of a kind names alike."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_NAME = 40
_REQUIRED = {"email": "subject", "whatsapp": "template", "kakao": "template"}
_LIMITS = {"text": 2000, "subject": 998}


class CannotScaffold(ServerError):
    """The package cannot be written; the message says why and what to do."""


def scaffold(name: str, channel: str, into: Path, taken: Iterable[str] = ()) -> list[Path]:
    """Write the package `sojourn-NAME` into a folder, and tell which files were written.

    `taken` are the keys of channels that are plugged in already. Raises `CannotScaffold`.
    """
    _check_name(name, taken)
    if channel not in CHANNELS:
        raise CannotScaffold(f"The channel is one of {', '.join(CHANNELS)}; found {channel!r}.")
    words = _words(name, channel)
    root = into / words["project"]
    if root.exists():
        raise CannotScaffold(f"{root} is there already. Move it away, or name another folder with --into.")
    package = root / words["package"]
    written = {
        root / "pyproject.toml": "pyproject.txt",
        root / "README.md": "readme.txt",
        package / "__init__.py": "module.txt",
        package / f"{name}_codes.csv": "codes.txt",
        package / "py.typed": "",
        root / "tests" / f"test_{name}.py": "test.txt",
    }
    for path, template in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(template, words) if template else "", encoding="utf-8")
    return list(written)


def _check_name(name: str, taken: Iterable[str]) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise CannotScaffold(
            f"A channel's name is lower-case letters, digits and single _, begins with a letter and has at "
            f"most {_LONGEST_NAME} signs, e.g. parrot or parrot_sms; found {name!r}."
        )
    if keyword.iskeyword(name):
        raise CannotScaffold(f"{name!r} is a word of Python itself. Choose another name.")
    if name in set(taken):
        raise CannotScaffold(f"A channel called {name!r} is plugged in already. Choose another name.")


def _words(name: str, channel: str) -> dict[str, str]:
    return {
        "name": name,
        "project": f"sojourn-{name.replace('_', '-')}",
        "package": f"sojourn_{name}",
        "header": name.replace("_", "-"),
        "host": f"{name.replace('_', '-')}.example",
        "title": "".join(part.capitalize() for part in name.split("_")),
        "channel": channel,
        "content": "\n".join(_field(channel, field) for field in CHANNELS[channel]),
        "more": "".join(f"\n        {line}" for line in _more(name, channel)),
        "today": datetime.now(UTC).date().isoformat(),
    }


def _field(channel: str, field: str) -> str:
    limit = f"max_length={_LIMITS[field]}" if field in _LIMITS else ""
    required = "required=True" if field == _REQUIRED.get(channel, "text") else ""
    return f'            "{field}": ContentField({", ".join(filter(None, (limit, required)))}),'


def _more(name: str, channel: str) -> list[str]:
    scheme = name.replace("_", "-")
    lines = [f'address_scheme="{scheme}:",'] if channel == "push" else []
    return lines + (["needs_template=True,"] if _REQUIRED.get(channel) == "template" else [])


def _filled(template: str, words: dict[str, str]) -> str:
    return Template(files("server.scaffold").joinpath(template).read_text("utf-8")).substitute(words)
