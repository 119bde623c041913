"""Lists and addresses: read as they are."""

from collections import defaultdict

from pyroaring import BitMap
from sqlalchemy import Executable, bindparam, select

from server.journey.audience import InList, ReachableOn
from server.store.among import among
from server.store.bulk import table_of
from server.store.tables import Endpoint, ListMember

from .pairs import Asking, Pairs

_members, _endpoints = table_of(ListMember), table_of(Endpoint)
_LISTED = select(_members.c.shard, _members.c.user_number).where(
    among(_members.c.shard, "shards"),
    _members.c.list_id == bindparam("list_id"),
    _members.c.project_id == bindparam("project_id"),
)
_USABLE = select(_endpoints.c.shard, _endpoints.c.user_number).where(
    among(_endpoints.c.shard, "shards"),
    _endpoints.c.project_id == bindparam("project_id"),
    _endpoints.c.channel == bindparam("channel"),
    _endpoints.c.is_current,
    _endpoints.c.state == "usable",
)


async def answer_list(asking: Asking, question: InList) -> Pairs:
    list_id = asking.lists.get(question.name)
    if list_id is None:
        return asking.nobody()
    return await _exactly(asking, _LISTED, list_id=list_id)


async def answer_reachable(asking: Asking, question: ReachableOn) -> Pairs:
    return await _exactly(asking, _USABLE, channel=question.channel)


async def _exactly(asking: Asking, statement: Executable, **about: object) -> Pairs:
    found: defaultdict[int, list[int]] = defaultdict(list)
    values = {"shards": list(range(asking.shards)), "project_id": asking.project_id, **about}
    for shard, number in await asking.session.rows(statement, values):
        found[shard].append(number)
    return asking.exactly({shard: BitMap(numbers) for shard, numbers in found.items()})
