"""Everything that is wrong with a drawn graph: its shape, its texts, and what its connections cannot send."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from channels.contract import AnyChannel
from server.journey.graph import Graph, read_graph
from server.journey.moment import Path, Problem
from server.journey.steps import GoToJourney, MessageStep, stand_in
from server.journey.steps.fallback import place_of
from server.journey.steps.sending import TITLE
from server.templates.render import compile_problems

from .brand_problems import brand_problems
from .channels import BY_OUR_LINKS
from .charsets import charset_problems
from .sending_problems import message_problems, voucher_problems

_LIQUID = ("{{", "{%")


class Connected(NamedTuple):
    """A connection of the project, as far as a draft is concerned."""

    channel: str
    adapter: AnyChannel | None
    """None if what it was made for is not plugged in."""
    is_enabled: bool = True


def problems_of(
    data: Mapping[str, Any],
    connections: Mapping[str, Connected],
    journeys: Collection[int] = (),
    pools: Collection[str] = (),
    is_made: Callable[[MessageStep], bool] = lambda step: False,
) -> list[Problem]:
    """All problems with their paths. `connections` and `pools` of vouchers are the project's, by name;
    `journeys` those of the project that can be entered. `is_made` says of which steps a template of the
    project says everything."""
    graph, problems = read_graph(data)
    problems += _journey_problems(graph, data, journeys)
    for index, step in _messages(graph, data):
        here = ("steps", index)
        problems += _text_problems(here, step)
        problems += voucher_problems(here, step, pools)
        problems += message_problems(here, step, graph)
        problems += _connection_problems(here, step, connections)
        problems += _outcome_problems(here, step, connections)
        problems += _fallback_problems(here, step, connections, is_made)
        chosen = connections.get(step.connection)
        if is_made(step):
            continue  # It says what was approved; `alimtalk_steps` looks at the rest.
        if chosen is not None and chosen.channel == step.channel and chosen.adapter is not None:
            told = {problem.path for problem in problems}
            found = list(_problems_with(chosen.adapter, here, step))
            problems += (problem for problem in found if problem.path not in told)
    return problems


def _journey_problems(graph: Graph, data: Mapping[str, Any], journeys: Collection[int]) -> Iterator[Problem]:
    for index, item in enumerate(data.get("steps") or ()):
        step = graph.steps.get(item.get("key", ""))
        if isinstance(step, GoToJourney) and step.journey and step.journey not in journeys:
            message = "There is no such journey in this project that has a published version."
            yield Problem(("steps", index, "journey"), message, "unknown_journey")


def _text_problems(here: Path, step: MessageStep) -> Iterator[Problem]:
    for path, text in step.templates():
        for problem in compile_problems(text, str(path[-1])):
            line = f"Line {problem.line}: " if problem.line else "Template: "
            yield Problem((*here, *path), f"{line}{problem.message}.", "template")


def _connection_problems(
    here: Path, step: MessageStep, connections: Mapping[str, Connected]
) -> Iterator[Problem]:
    there = sorted(name for name, one in connections.items() if one.channel == step.channel)
    path = (*here, "connection")
    if step.connection and step.connection not in there:
        known = ", ".join(there) or "none"
        message = f"There is no connection {step.connection!r} for {step.channel}; there are: {known}."
        yield Problem(path, message, "unknown_connection")
    elif not step.connection and step.channel and not any(connections[name].is_enabled for name in there):
        yield Problem(path, f"There is no connection for {step.channel} that is on.", "no_connection")


def _fallback_problems(
    here: Path,
    step: MessageStep,
    connections: Mapping[str, Connected],
    is_made: Callable[[MessageStep], bool],
) -> Iterator[Problem]:
    """The same that is asked of a step of its channel."""
    other = stand_in(step)
    if other is None:
        return
    if other.channel == step.channel:
        message = "It goes by the same channel as what it stands in for."
        yield Problem((*here, "fallback", "channel"), message, "same_channel")
    senders = [
        one.adapter
        for name, one in connections.items()
        if one.channel == other.channel and other.connection in ("", name) and one.adapter is not None
    ]
    found = [*_connection_problems((), other, connections)]
    if senders and not is_made(other):
        found += _problems_with(senders[0], (), other)
    for problem in found:
        yield Problem((*here, "fallback", *_in_fallback(problem.path)), problem.message, problem.code)


def _in_fallback(path: Path) -> Path:
    """Where it stands there: a step of its own has its fields at other places."""
    first, *rest = path
    if first == TITLE:
        return place_of("title")
    if first in ("connection", "channel", "options", "variables", "content"):
        return path
    return (*place_of(str(first)), *rest)


def _outcome_problems(
    here: Path, step: MessageStep, connections: Mapping[str, Connected]
) -> Iterator[Problem]:
    """A split by what nobody can ever tell would send everybody the same way."""
    wanted = step.outcome.split_by
    senders = [
        one.adapter
        for name, one in connections.items()
        if one.channel == step.channel and step.connection in ("", name) and one.adapter is not None
    ]
    tellers = [one for one in senders if wanted in {kind.value for kind in one.capabilities.observes}]
    seen_by_us = wanted in BY_OUR_LINKS.get(step.channel, ())
    if wanted and senders and not tellers and not seen_by_us:
        message = f"No connection for {step.channel} can tell whether a message was {wanted}."
        yield Problem((*here, "split_by"), message, "not_observable")


def _problems_with(adapter: AnyChannel, here: Path, step: MessageStep) -> Iterator[Problem]:
    """What this adapter cannot send."""
    if step.purpose not in adapter.capabilities.purposes:
        message = f"{adapter.title} sends nothing that is for {step.purpose}."
        yield Problem((*here, "purpose"), message, "purpose")
    yield from _content_problems(here, step, adapter)
    yield from _option_problems(here, step, adapter)
    yield from brand_problems(here, step, adapter)


def _content_problems(here: Path, step: MessageStep, adapter: AnyChannel) -> Iterator[Problem]:
    """Says nothing of the length of templates: it is not that of what they will say."""
    fields = adapter.capabilities.content
    for name, text in step.content.items():
        path = (*here, *step.path_of(name))
        if name not in fields:
            known = ", ".join(fields) or "none"
            yield Problem(path, f"{adapter.title} has no field {name!r}; it has: {known}.", "unknown_field")
            continue
        yield from charset_problems(path, text, fields[name], adapter.title)
        longest = None if fields[name].charset else fields[name].max_length
        if longest is not None and not _is_template(text) and len(text) > longest:
            message = f"{adapter.title} takes {longest} characters here, found {len(text)}."
            yield Problem(path, message, "too_long")
    for name, field in fields.items():
        if field.required and not step.content.get(name, "").strip():
            path = (*here, *step.path_of(name))
            yield Problem(path, f"{adapter.title} needs `{name}`.", "missing")


def _option_problems(here: Path, step: MessageStep, adapter: AnyChannel) -> Iterator[Problem]:
    path = (*here, "options")
    if adapter.options is None:
        if step.options:
            yield Problem(path, f"{adapter.title} has no options.", "unknown_field")
        return
    for where, message in _wrong_options(adapter.options, step.options):
        yield Problem((*path, *where), f"{message}.", "options")


def _wrong_options(model: type[BaseModel], options: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    try:
        model.model_validate(options)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_context=False, include_input=False):
            path, found = _at(options, one["loc"])
            # What a template will say is known only when it is sent.
            if not (isinstance(found, str) and _is_template(found)):
                yield path, f"`{'.'.join(map(str, one['loc']))}`: {one['msg']}"


def _at(value: Any, wanted: Path) -> tuple[Path, Any]:
    """What stands there, and where; a model may name parts of its own on the way."""
    path: Path = ()
    for part in wanted:
        if not isinstance(value, str):
            with suppress(LookupError, TypeError):
                value, path = value[part], (*path, part)
    return path, value


def _is_template(text: str) -> bool:
    return any(mark in text for mark in _LIQUID)


def _messages(graph: Graph, data: Mapping[str, Any]) -> Iterator[tuple[int, MessageStep]]:
    told: set[str] = set()
    for index, item in enumerate(data.get("steps") or ()):
        key = item.get("key", "")
        step = graph.steps.get(key)
        # Of two steps with one key the graph has the first, and its problems are not the second's.
        if isinstance(step, MessageStep) and key not in told:
            told.add(key)
            yield index, step
