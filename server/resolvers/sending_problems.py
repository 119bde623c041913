"""What is wrong with the vouchers of message steps, and with what their texts say of other messages."""

import re
from collections.abc import Collection, Iterator

from server.journey.graph import Graph
from server.journey.moment import Path, Problem
from server.journey.steps import MessageStep

_TAG = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_VOUCHER = re.compile(r"\bvoucher\b")
_MESSAGES = re.compile(r"""\bmessages(?:\.([A-Za-z_]\w*)|\[\s*(?:"([^"]*)"|'([^']*)')\s*\])""")


def voucher_problems(here: Path, step: MessageStep, pools: Collection[str]) -> Iterator[Problem]:
    """`pools` are the names of those that the project has."""
    pool = step.rules.pool
    if pool and pool not in pools:
        known = ", ".join(sorted(pools)) or "none"
        message = f"There is no pool of vouchers {pool!r}; there are: {known}."
        yield Problem((*here, "voucher", "pool"), message, "unknown_pool")
    if pool:
        return
    for path, tag in _tags(step):
        if _VOUCHER.search(tag):
            message = "Template: it shows a voucher, and the step takes none from a pool."
            yield Problem((*here, *path), message, "template")


def message_problems(here: Path, step: MessageStep, graph: Graph) -> Iterator[Problem]:
    """Texts that ask what became of messages that no step of the graph sends."""
    for path, tag in _tags(step):
        for names in _MESSAGES.findall(tag):
            key = "".join(names)
            if not isinstance(graph.steps.get(key), MessageStep):
                message = f"Template: it asks for the messages of {key!r}, which is no message step here."
                yield Problem((*here, *path), message, "template")


def shows_voucher(text: str) -> bool:
    return any(_VOUCHER.search(tag) for tag in _TAG.findall(text))


def _tags(step: MessageStep) -> Iterator[tuple[Path, str]]:
    """What stands in the tags of its templates, and where."""
    for path, text in step.templates():
        for tag in _TAG.findall(text):
            yield path, tag
