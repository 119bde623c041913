"""The adapters that are plugged in, and what their settings are checked by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from channels.alimtalk.desk import WithDesk
from channels.contract import AnyChannel, Capabilities, Problem
from channels.host import Host
from server.errors import BadInput


class BadSettings(BadInput):
    """These settings cannot work; `problems` says where and why."""

    code = "BAD_SETTINGS"

    def __init__(self, problems: Sequence[Problem]) -> None:
        told = "; ".join(f"{problem.path or 'settings'}: {problem.message}" for problem in problems)
        super().__init__(f"The settings cannot work. {told}")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Adapter:
    """A way of sending that is plugged in."""

    key: str
    channel: str
    title: str
    source: str
    settings_schema: dict[str, Any]
    """JSON Schema; secrets are of the format `password`."""
    capabilities: Capabilities
    options_schema: dict[str, Any] | None = None
    """JSON Schema of what only this adapter understands; None if there is nothing."""


def listed(host: Host) -> list[Adapter]:
    """Everything that is plugged in, in order of key."""
    return [
        Adapter(
            one.key,
            one.channel,
            one.title,
            host.sources.get(one.key, ""),
            one.settings.model_json_schema(),
            one.capabilities,
            one.options.model_json_schema() if one.options else None,
        )
        for one in host.channels.values()
    ]


def named(host: Host, key: str) -> AnyChannel:
    """The adapter with this key. Raises BadInput, which names those that are there."""
    if key not in host.channels:
        there = ", ".join(host.channels) or "none"
        raise BadInput(f"There is no adapter {key!r}; there are {there}.")
    return host.channels[key]


def read_settings(channel: AnyChannel, settings: Mapping[str, Any], *, may_wait: bool = False) -> BaseModel:
    """As the adapter wants them. Raises BadSettings, in which nothing stands of what was typed.

    What a desk gives may be missing where it `may_wait`: to keep the settings, and to go to the desk for it.
    """
    try:
        read: BaseModel = channel.settings.model_validate(settings)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [Problem(".".join(map(str, one["loc"])), one["msg"]) for one in found]
        # Not `from error`: that one carries what was typed, secrets included.
        raise BadSettings(problems) from None
    waits_for = profile_setting(channel) if may_wait else ""
    if problems := [one for one in channel.problems(read) if not waits_for or one.path != waits_for]:
        raise BadSettings(problems)
    return read


def profile_setting(channel: AnyChannel) -> str:
    """The setting that the desk of its relay gives, once a sender profile is registered; empty for none."""
    if not isinstance(channel, WithDesk):
        return ""
    return str(channel.desk_can.more.get("profile_setting", ""))
