"""The secrets in the settings of a connection: sealed apart, put back, kept, told of but never shown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from pydantic import BaseModel, SecretStr

from channels.contract import AnyChannel
from server.secretbox import CannotUnseal, SecretBox

_PLACES = ("host", "url")
SET, NOT_SET, SHUT = "set", "not set", "sealed with another secret"


def secrets_in(settings: BaseModel) -> list[str]:
    """The values that must not be shown."""
    return [secret for _, secret in _secrets_in(settings.model_dump()) if secret]


def _about(project_id: int, name: str) -> bytes:
    return orjson.dumps(["connection", project_id, name])


def split(settings: BaseModel, box: SecretBox, project_id: int, name: str) -> tuple[str, bytes]:
    """The plain settings as JSON, and the secrets sealed."""
    secrets = dict(_secrets_in(settings.model_dump()))
    plain = settings.model_dump(mode="json")
    for path in secrets:
        _put(plain, path.split("."), None)
    filled = {path: secret for path, secret in secrets.items() if secret}
    sealed = box.seal(orjson.dumps(filled), _about(project_id, name)) if filled else b""
    return orjson.dumps(plain).decode(), sealed


def _secrets_in(value: Any, *path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, SecretStr):
        yield ".".join(path), value.get_secret_value()
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _secrets_in(inner, *path, str(name))


def secrets_of(row: Any, box: SecretBox) -> dict[str, str]:
    """By their paths. Raises CannotUnseal."""
    if not row.sealed:
        return {}
    found: dict[str, str] = orjson.loads(box.open(row.sealed, _about(row.project_id, row.name)))
    return found


def _put(settings: dict[str, Any], path: Sequence[str], value: str | None) -> None:
    """Puts a value at a path; None takes away what is there."""
    *outer, last = path
    for name in outer:
        settings = settings.setdefault(name, {})
    if value is None:
        settings.pop(last, None)
    else:
        settings[last] = value


def keep(wanted: dict[str, Any], channel: AnyChannel, before: Mapping[str, str]) -> list[str]:
    """Puts secrets of before into settings that leave them out, and names them; null there forgets them.

    Settings are often handed back as they were shown: what stands there in the place of a secret is none.
    """
    for name in _secret_fields(channel):
        if wanted.get(name) in (SET, NOT_SET, SHUT):
            del wanted[name]
    kept = []
    for path, secret in before.items():
        *outer, last = path.split(".")
        inner: Any = wanted
        for name in outer:
            inner = inner.get(name) if isinstance(inner, dict) else None
        if not isinstance(inner, dict):
            continue
        if last not in inner:
            inner[last] = secret
            kept.append(path)
        elif inner[last] is None:
            del inner[last]
    return kept


def places(settings: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """The settings that say where requests go: whatever is named a host or a URL."""
    if isinstance(settings, dict):
        for name, inner in settings.items():
            yield from places(inner, *path, str(name))
    elif path and path[-1].endswith(_PLACES):
        yield ".".join(path), settings


def filled(row: Any, box: SecretBox) -> dict[str, Any]:
    """The settings of a connection with its secrets in their places. Raises CannotUnseal."""
    return _with(row.settings, secrets_of(row, box))


def shown(row: Any, channel: AnyChannel | None, box: SecretBox) -> dict[str, Any]:
    """The settings of a connection; in the place of a secret stands whether it is set."""
    return _with(row.settings, _told_of_secrets(row, channel, box))


def _with(settings: str, values: Mapping[str, str]) -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads(settings)
    for path, value in values.items():
        _put(read, path.split("."), value)
    return read


def _secret_fields(channel: AnyChannel | None) -> list[str]:
    fields = channel.settings.model_fields if channel else {}
    return [name for name, about in fields.items() if "SecretStr" in str(about.annotation)]


def _told_of_secrets(row: Any, channel: AnyChannel | None, box: SecretBox) -> dict[str, str]:
    told = dict.fromkeys(_secret_fields(channel), NOT_SET)
    try:
        return {**told, **dict.fromkeys(secrets_of(row, box), SET)}
    except CannotUnseal:
        return dict.fromkeys(told, SHUT)
