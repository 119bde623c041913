"""Segments and lists that a drawn graph names, and that the project does not have."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from server.context import Context
from server.journey.moment import Problem
from server.store import segments, user_lists, uses
from server.store.sessions import ReadSession


async def unknown(session: ReadSession, context: Context, graph: Mapping[str, Any]) -> list[Problem]:
    """Each with its path."""
    found: list[Problem] = []
    if any(uses.named_in(graph, "segment")):
        found += _missing(graph, "segment", await segments.names(session, context.project_id))
    if any(uses.named_in(graph, "list")):
        found += _missing(graph, "list", await user_lists.names(session, context.project_id))
    return found


def _missing(graph: Mapping[str, Any], member: str, there: Collection[str]) -> Iterator[Problem]:
    for path, name in uses.named_in(graph, member):
        if name not in there:
            known = ", ".join(sorted(there)[:20]) or "none"
            message = f"There is no {member} {name!r}; there are: {known}."
            yield Problem(path, message, f"unknown_{member}")
