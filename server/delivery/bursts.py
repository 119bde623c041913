"""Who was behind the hits of one message, seen together: what no single request tells.

A mail gate follows the links of a message one after the other, with the user agent of a browser. Two things
give it away: it is quicker than any hand, and it follows the link that nobody can see. Whatever is done to
the message around such an instant is taken for the gate's as well, whatever address it comes from: gates
use many. That includes opens, because a gate that follows links loads the images too.

Who was behind a hit is a function of the set of hits, so that it does not matter in which order they are
heard. Only the earliest `MOST_HITS` of a message are seen together; each later one stands for itself, and
speaks against no other.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from channels.contract import ReceiptKind
from server.clock import SECOND, Instant
from server.delivery.actors import Actor
from server.delivery.status import WITH_ACTOR, Heard, hear
from server.store.erasing import ERASED_LINK

HUMAN = Actor.HUMAN.value
"""What a receipt says of its actor if a person seems to have done it."""
HITS = "hits"
"""Where the hits stand in what was heard."""
MOST_HITS = 50

BURST_LINKS = 3
BURST_MS = 3 * SECOND
"""So many different links in so short a time are followed by no hand."""
PAIR_MS = 1 * SECOND
"""Two different links within this time may be."""
AROUND_MS = 5 * SECOND
"""What is done so close to a machine is the machine's."""

HIT_KINDS = frozenset({*WITH_ACTOR, ReceiptKind.TRAPPED})
BURST, HONEYPOT, PAIR = "burst", "honeypot", "pair"


class Hit(NamedTuple):
    at: Instant
    kind: str
    actor: str
    """By the request alone."""
    link: int
    """The same for the same target; 0 where nobody says which it was."""


class Judged(NamedTuple):
    """An open or a click, and who did it; `why` is empty where the request alone decides."""

    kind: str
    actor: str
    at: Instant
    why: str = ""


Change = Mapping[tuple[str, str, Instant], int]
"""Kind, actor and instant, to how many such hits more or fewer there are."""


def to_hit(kind: str, at: Instant, actor: str, url: str) -> Hit:
    return Hit(at, str(kind), actor or Actor.UNSURE.value, _link(url))


def _link(url: str) -> int:
    """Of an erased person only this is kept, behind a sign that no link begins with."""
    if url.startswith(ERASED_LINK):
        return int(url.removeprefix(ERASED_LINK))
    return crc32(url.encode()) if url else 0


def hear_hit(heard: Heard, hit: Hit) -> Change:
    """Adds a hit to what was heard. Says which opens and clicks are somebody's now, and whose no longer."""
    if is_unjudged(heard):
        _hear_alone(heard, [hit])
        return _tally(_alone(hit))
    kept = _hits(heard)
    if len(kept) >= MOST_HITS and hit >= kept[-1]:
        # However many come, the judged ones stay as they are.
        _hear_alone(heard, [hit])
        return _tally(_alone(hit))
    hits = sorted((*kept, hit))
    heard[HITS] = [list(one) for one in hits[:MOST_HITS]]
    _hear_alone(heard, hits[MOST_HITS:])
    before, after = _tally(judge(kept)), _tally(judge(hits))
    return {key: after[key] - before[key] for key in {*before, *after} if after[key] != before[key]}


def is_unjudged(heard: Mapping[str, Any]) -> bool:
    """Whether the hits of this message were counted each by itself, before they were seen together.

    They go on so: figures that somebody may have read do not change with the program.
    """
    return HITS not in heard and any(kind in heard for kind in WITH_ACTOR)


def seen(heard: Heard) -> Heard:
    """What was heard, with every open and click at its actor (`kind/actor`) as all hits together tell."""
    if HITS not in heard:
        return heard
    found = {key: list(value) for key, value in heard.items() if key != HITS}
    for one in judge(_hits(heard)):
        hear(found, f"{one.kind}/{one.actor}", one.at)
    return found


def reasons(heard: Heard) -> dict[str, str]:
    """By `kind/actor`: the strongest rule that moved a hit there although its own request says otherwise."""
    found: dict[str, str] = {}
    for one in judge(_hits(heard)):
        key = f"{one.kind}/{one.actor}"
        if one.why and found.get(key) != HONEYPOT:
            found[key] = one.why
    return found


def judge(hits: Iterable[Hit], *, together: bool = True) -> list[Judged]:
    """Every open and click with its actor: in order, and the same whatever the order of `hits`."""
    ordered = sorted(hits)
    most = MOST_HITS if together else 0
    return [*_judge(ordered[:most]), *(one for hit in ordered[most:] for one in _alone(hit))]


def _judge(hits: Sequence[Hit]) -> list[Judged]:
    traps = [hit.at for hit in hits if hit.kind == ReceiptKind.TRAPPED]
    clicks = [hit for hit in hits if hit.kind == ReceiptKind.CLICKED and hit.link]
    times = [click.at for click in clicks]
    burst = _burst(clicks, times)
    found = []
    for hit in hits:
        if hit.kind == ReceiptKind.TRAPPED:
            continue
        actor, why = hit.actor, ""
        if actor != Actor.MACHINE and (why := _machine(hit.at, traps, burst)):
            actor = Actor.MACHINE.value
        elif actor == Actor.HUMAN and _is_paired(hit, clicks, times):
            actor, why = Actor.UNSURE.value, PAIR
        found.append(Judged(hit.kind, actor, hit.at, why))
    return found


def _burst(clicks: Sequence[Hit], times: Sequence[Instant]) -> list[Instant]:
    """The instants of the clicks that are part of a burst."""
    found: set[Instant] = set()
    for first, start in enumerate(times):
        end = bisect_right(times, start + BURST_MS)
        if len({click.link for click in clicks[first:end]}) >= BURST_LINKS:
            found.update(times[first:end])
    return sorted(found)


def _machine(at: Instant, traps: Sequence[Instant], burst: Sequence[Instant]) -> str:
    if _is_near(at, traps):
        return HONEYPOT
    return BURST if _is_near(at, burst) else ""


def _is_near(at: Instant, times: Sequence[Instant]) -> bool:
    first = bisect_left(times, at - AROUND_MS)
    return first < len(times) and times[first] <= at + AROUND_MS


def _is_paired(hit: Hit, clicks: Sequence[Hit], times: Sequence[Instant]) -> bool:
    if hit.kind != ReceiptKind.CLICKED or not hit.link:
        return False
    first, end = bisect_left(times, hit.at - PAIR_MS), bisect_right(times, hit.at + PAIR_MS)
    return any(click.link != hit.link for click in clicks[first:end])


def _alone(hit: Hit) -> list[Judged]:
    return [Judged(hit.kind, hit.actor, hit.at)] if hit.kind in WITH_ACTOR else []


def _hear_alone(heard: Heard, hits: Iterable[Hit]) -> None:
    for hit in hits:
        for one in _alone(hit):
            hear(heard, f"{one.kind}/{one.actor}", one.at)


def _hits(heard: Heard) -> list[Hit]:
    return [Hit(*one) for one in heard.get(HITS, ())]


def _tally(judged: Iterable[Judged]) -> Counter[tuple[str, str, Instant]]:
    return Counter((one.kind, one.actor, one.at) for one in judged)
