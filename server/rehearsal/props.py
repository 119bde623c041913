"""What a graph needs on the stage beside its people: segments and lists, vouchers, caps, other journeys."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import select

from channels.alimtalk.desk import Inspection, Operation
from server.journey.graph import Graph
from server.store import uses
from server.store.bulk import inserting, table_of
from server.store.sessions import WriteSession
from server.store.tables import (
    AlimtalkRegistration,
    AlimtalkTemplate,
    AlimtalkVersion,
    Connection,
    FrequencyCap,
    ListMember,
    Segment,
    UserList,
    Voucher,
    VoucherPool,
)

from .plan import Plan

_MEMBERS = inserting(ListMember, "shard", "list_id", "user_number", "project_id", "added_at", "line")
_CODES = inserting(Voucher, "project_id", "code", "pool_id", "number")
_MOST_CODES = 5000
KAKAO = "kakao"
_connections = table_of(Connection)


async def put_up(session: WriteSession, plan: Plan, graph: Graph, shard: int, project_id: int) -> None:
    """Everything is there under the names that the graph calls it by."""
    lists = _lists_in(plan, graph)
    for number, name in enumerate(sorted(lists), 1):
        about: dict[str, Any] = {
            "project_id": project_id,
            "name": name,
            "created_at": plan.start,
            "changed_at": plan.start,
        }
        session.add(UserList(id=number, **about))
        session.add_all([] if name not in _segments_in(plan, graph) else [_segment(plan, name, about)])
        rows = [
            (shard, number, user, project_id, plan.start, "")
            for user, one in enumerate(plan.people)
            if name in one.segments
        ]
        await session.flush()
        await session.bulk(_MEMBERS, rows)
    await _pools(session, plan, project_id)
    await _templates(session, plan, project_id)
    session.add_all(
        FrequencyCap(
            project_id=project_id, channel=channel, window_ms=window_ms, most=most, changed_at=plan.start
        )
        for channel, most, window_ms in plan.caps
    )


def _segments_in(plan: Plan, graph: Graph) -> set[str]:
    """Those that the graph names, those that people are in, and the project's."""
    told = {name for one in plan.people for name in one.segments}
    named = {name for _, name in uses.named_in(plan.graph, "segment")}
    return {*graph.asks_segments, *named, *told, *plan.segments}


def _lists_in(plan: Plan, graph: Graph) -> set[str]:
    """Every segment has a list of its name: who is said to be in it is on that."""
    named = {name for _, name in uses.named_in(plan.graph, "list")}
    return _segments_in(plan, graph) | named | set(_named(plan.segments, "in_list"))


def _segment(plan: Plan, name: str, about: Mapping[str, Any]) -> Segment:
    """Who is said to be in it, and who meets the project's own conditions."""
    own = plan.segments.get(name)
    listed = {"in_list": name}
    conditions = listed if own is None else {"any": [listed, own]}
    return Segment(**about, conditions=orjson.dumps(conditions).decode())


def _named(value: Any, key: str) -> Iterator[str]:
    """Every text under this name, however deep."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == key and isinstance(inner, str) and inner:
                yield inner
            else:
                yield from _named(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, key)


async def _templates(session: WriteSession, plan: Plan, project_id: int) -> None:
    """Every template is approved, in the version that is played, at whatever sends by KakaoTalk."""
    about: dict[str, Any] = {"project_id": project_id, "created_at": plan.start, "changed_at": plan.start}
    there = await session.rows(select(_connections.c.id).where(_connections.c.channel == KAKAO))
    for number, one in enumerate(plan.templates, 1):
        session.add(AlimtalkTemplate(id=number, key=one.key, name=one.key, latest=one.number, **about))
        texts: dict[str, Any] = {
            "content": one.content,
            "bindings": one.bindings,
            "declaration": one.declaration,
        }
        session.add(AlimtalkVersion(template_id=number, number=one.number, **texts, **about))
        approved: dict[str, Any] = {
            "inspection": Inspection.APPROVED.value,
            "operation": Operation.ACTIVE.value,
        }
        session.add_all(
            AlimtalkRegistration(
                template_id=number,
                number=one.number,
                connection_id=row.id,
                code=f"{one.key}_{one.number}",
                **approved,
                **about,
            )
            for row in there
        )
    await session.flush()


async def _pools(session: WriteSession, plan: Plan, project_id: int) -> None:
    """A pool of every name, with codes enough for everybody several times."""
    size = min(_MOST_CODES, 10 * len(plan.people))
    for number, name in enumerate(sorted(set(_named(plan.graph, "pool"))), 1):
        session.add(
            VoucherPool(id=number, project_id=project_id, name=name, low_water=0, created_at=plan.start)
        )
        await session.flush()
        codes = [(project_id, f"{name}-{n}", number, n) for n in range(1, size + 1)]
        await session.bulk(_CODES, codes)
