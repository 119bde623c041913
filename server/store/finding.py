"""Many users at once by what leads to them: ids, and addresses where only one user has them."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import bindparam, select

from .among import among
from .bulk import table_of
from .ids import shard_of
from .sessions import ReadSession
from .tables import Endpoint, Identity
from .users import MOST_HOPS, UserKey

_identities, _endpoints = table_of(Identity), table_of(Endpoint)
_LED = (
    select(_identities.c.value, _identities.c.home, _identities.c.number)
    .where(_identities.c.shard == bindparam("shard"), _identities.c.project_id == bindparam("project_id"))
    .where(_identities.c.kind == bindparam("kind"), among(_identities.c.value, "of_values"))
)
_AT = (
    select(_endpoints.c.address, _endpoints.c.user_number)
    .where(_endpoints.c.shard == bindparam("shard"), _endpoints.c.project_id == bindparam("project_id"))
    .where(_endpoints.c.channel == bindparam("channel"), among(_endpoints.c.address, "addresses"))
    .where(_endpoints.c.is_current)
)


async def by_identities(
    session: ReadSession, project_id: int, shards: int, kind: str, values: Collection[str]
) -> dict[str, UserKey]:
    """The users to whom these values lead, from each value's shard to the user's home."""
    found: dict[str, UserKey] = {}
    at: dict[str, int] = {value: shard_of(project_id, value, shards) for value in values}
    for _ in range(MOST_HOPS):
        following: dict[str, int] = {}
        for shard, wanted in _by_shard(at.items()).items():
            about = {"shard": shard, "project_id": project_id, "kind": kind}
            for value, home, number in await session.rows_in(_LED, "of_values", wanted, about):
                if home != shard:
                    following[value] = home
                elif number is not None:
                    found[value] = (shard, number)
        at = following
        if not at:
            break
    return found


async def by_addresses(
    session: ReadSession, project_id: int, shards: int, channel: str, addresses: Collection[str]
) -> dict[str, list[UserKey]]:
    """Everybody who has one of these addresses now."""
    found: defaultdict[str, list[UserKey]] = defaultdict(list)
    for shard in range(shards):
        about = {"shard": shard, "project_id": project_id, "channel": channel}
        for address, number in await session.rows_in(_AT, "addresses", addresses, about):
            found[address].append((shard, number))
    return found


def _by_shard(places: Iterable[tuple[str, int]]) -> dict[int, list[str]]:
    grouped: defaultdict[int, list[str]] = defaultdict(list)
    for value, shard in places:
        grouped[shard].append(value)
    return grouped
