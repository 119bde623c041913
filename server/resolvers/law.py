"""By which law a project writes advertisements: what that forbids to publish, and how it is changed."""

from collections.abc import Mapping
from typing import Any

from channels.contract import Purpose
from server.context import Context
from server.journey import ad_labels
from server.journey.graph import read_graph
from server.journey.moment import Problem
from server.journey.steps import MessageStep
from server.store import projects
from server.store.consents import LONGEST_NOTE
from server.store.projects import KOREA, LAWS
from server.store.sessions import ReadSession, WriteSession

from .once import Answer, once
from .refusals import Invalid


async def problems(session: ReadSession, context: Context, data: Mapping[str, Any]) -> list[Problem]:
    """What the advertisements of a drawn graph lack."""
    graph, _ = read_graph(data)
    found = []
    for index, item in enumerate(data.get("steps") or ()):
        step = graph.steps.get(item.get("key", "")) if isinstance(item, Mapping) else None
        if isinstance(step, MessageStep) and step.purpose == Purpose.ADVERTISEMENT:
            for name, message in ad_labels.wrongs(step.channel, step.content):
                found.append(Problem(("steps", index, *step.path_of(name)), message, "ad_label"))
    if not found:
        return found
    project = await projects.by_id(session, context.project_id)
    return found if project.law == KOREA else []


async def set_law(context: Context, law: str, reason: str, key: str | None) -> Answer:
    """Raises Invalid, IdempotencyConflict."""
    checked = check(law, reason)

    async def work(session: WriteSession) -> Answer:
        await projects.set_law(session, context.project_id, *checked)
        return {"law": law}

    return await once(context, key, ("setLaw", [*checked]), work)


def check(law: str, reason: str) -> tuple[str, str]:
    """As it is kept. Raises Invalid."""
    if law not in LAWS:
        raise Invalid(f"{KOREA} or nothing was wanted, found {law[:10]!r}.", ("input", "law"))
    if not law and not reason.strip():
        raise Invalid("Say why the project does not go by the law.", ("input", "reason"))
    if len(reason) > LONGEST_NOTE or "\0" in reason:
        raise Invalid(f"At most {LONGEST_NOTE} characters and no NUL.", ("input", "reason"))
    return law, reason.strip()
