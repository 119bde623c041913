"""What can be seen without doing anything: names, capabilities, settings, options, and the import."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ValidationError

from channels.contract import CONTRACT_VERSION, AnyChannel, BaseChannel, OnUnknown, Problem, ReceiptKind
from channels.testing.evidence import Evidence, secrets_of

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
_SECRET_NAME = re.compile(r"password|secret|token|api_?key|private_?key")
# The server itself writes these down; no provider tells them.
_OURS = {ReceiptKind.ATTEMPTED, ReceiptKind.SKIPPED, ReceiptKind.TRAPPED, ReceiptKind.UNMAPPED}
_LONGEST_IMPORT_SECONDS = 3.0


async def identity(evidence: Evidence) -> list[str]:
    return [*_names(evidence.channel), *_capabilities(evidence.channel)]


def _names(channel: AnyChannel) -> Iterator[str]:
    for part in ("key", "channel"):
        if not _NAME.fullmatch(getattr(channel, part)):
            yield f"{part} must be lower-case letters, digits and _, found {getattr(channel, part)!r}"
    if not channel.title.strip():
        yield "title is empty"
    if channel.contract_version != CONTRACT_VERSION:
        yield f"contract_version is {channel.contract_version}, this is {CONTRACT_VERSION}"


def _capabilities(channel: AnyChannel) -> Iterator[str]:
    able = channel.capabilities
    if not able.content:
        yield "capabilities.content names no field, so nothing could be sent"
    if wrong := [kind for kind in able.observes if not isinstance(kind, ReceiptKind) or kind in _OURS]:
        yield f"capabilities.observes names {sorted(wrong)}, which no provider tells"
    if able.batch_size < 1:
        yield "capabilities.batch_size must be at least 1"
    if able.rate_per_second is not None and able.rate_per_second <= 0:
        yield "capabilities.rate_per_second must be above 0, or None"
    if able.on_unknown is OnUnknown.RESEND_SAME_KEY and not able.native_idempotency:
        yield "on_unknown is resend_same_key, which needs native_idempotency"
    if able.address_scheme and not _SCHEME.fullmatch(able.address_scheme):
        yield f"capabilities.address_scheme must look like `fcm:`, found {able.address_scheme!r}"
    template = able.content.get("template")
    if able.needs_template and template is None:
        yield "needs_template is claimed, so capabilities.content needs a field `template`"
    if template is not None and template.required and not able.needs_template:
        yield "the content field `template` is required, so claim needs_template"
    overridden = getattr(type(channel), "parse_inbound", None) is not BaseChannel.parse_inbound
    if able.inbound and not overridden:
        yield "capabilities.inbound is claimed, but parse_inbound() is the one that never brings anything"
    if overridden and not able.inbound:
        yield "parse_inbound() is written, but capabilities.inbound does not claim it"


async def settings(evidence: Evidence) -> list[str]:
    return [*_settings(evidence), *_problems(evidence), *_options(evidence.channel)]


def _settings(evidence: Evidence) -> Iterator[str]:
    model, given = evidence.channel.settings, evidence.settings
    if not isinstance(given, model):
        yield f"settings must be a {model.__name__}, found a {type(given).__name__}"
    for name, field in model.model_fields.items():
        if _SECRET_NAME.search(name) and field.annotation is str:
            yield f"settings.{name} sounds like a secret: make it a SecretStr"
    shown = repr(given) + str(given) + json.dumps(given.model_dump(mode="json"))
    if any(secret in shown for secret in secrets_of(given)):
        yield "a secret can be read in the settings' repr or JSON"
    if evidence.tells_a_secret(repr(evidence.channel)):
        yield "a secret can be read in the channel's repr"
    model.model_json_schema()


def _problems(evidence: Evidence) -> Iterator[str]:
    first, second = (evidence.channel.problems(evidence.settings) for _ in range(2))
    if first != second:
        yield "problems() gives another answer the second time"
    if not isinstance(first, list) or not all(isinstance(problem, Problem) for problem in first):
        yield "problems() must return a list of Problem"
    elif any(evidence.tells_a_secret(problem.message) for problem in first):
        yield "problems() repeats a secret"


def _options(channel: AnyChannel) -> Iterator[str]:
    # Typed loosely: a check has to doubt what a type promises.
    model: Any = channel.options
    if model is None:
        return
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        yield f"options must be a pydantic model or None, found {model!r}"
        return
    if not model.model_config.get("frozen"):
        yield "the options model must be frozen"
    model.model_json_schema()
    try:
        model.model_validate({"no_such_option": 1})
    except ValidationError as error:
        if any(one["loc"] == ("no_such_option",) for one in error.errors()):
            return
    yield 'the options model takes an unknown field, so a typing error would be lost: set extra="forbid"'


async def imports(evidence: Evidence) -> list[str]:
    """What importing the channel does, seen in a fresh process that has no network."""
    module = evidence.module or _plugin_of(type(evidence.channel).__module__)
    return list(_import(module)) if module else []


def _plugin_of(name: str) -> str:
    """The module or the package around it that hands the channel over, where Python can import it by name."""
    while name:
        loaded = sys.modules.get(name)
        if hasattr(loaded, "register_channels") and not name.startswith("sojourn_plugin_"):
            return name
        name = name.rpartition(".")[0]
    return ""


@cache
def _import(module: str) -> tuple[str, ...]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    script = files("channels.testing.checks").joinpath("alone.py").read_text("utf-8")
    run = subprocess.run(
        [sys.executable, "-c", script, module], env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode:
        said = run.stderr.strip().splitlines() or ["nothing"]
        return (f"importing {module} without a network fails: {said[-1]}",)
    seconds, heavy = json.loads(run.stdout.splitlines()[-1])
    found = []
    if heavy:
        found.append(f"importing {module} imports {', '.join(heavy)}: import that where it is needed")
    if seconds > _LONGEST_IMPORT_SECONDS:
        found.append(f"importing {module} takes {seconds:.1f} seconds of work; it must be quick")
    return tuple(found)
