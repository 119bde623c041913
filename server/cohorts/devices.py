"""The devices of users: a segment is of people, and some reports count devices."""

from array import array
from collections import OrderedDict
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap
from sqlalchemy import Engine, bindparam, select

from server.aggregates.deed_sets import numbers_of
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Device

_devices = table_of(Device)
_NEW = (
    select(_devices.c.number, _devices.c.user_number)
    .where(_devices.c.shard == bindparam("shard"), _devices.c.project_id == bindparam("project_id"))
    .where(_devices.c.number > bindparam("after"))
    .order_by(_devices.c.number)
    .limit(bindparam("most"))
)
PAGE = 100_000
"""Devices read at once."""


@dataclass(slots=True)
class Owners:
    """Of one shard of a project: whose a device is, by its number. Once told it stays so, and new ones have
    higher numbers: in other hands a device is another device."""

    users: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def learn(self, numbers: list[int], users: list[int]) -> None:
        # A snapshot that is older than what is known already has nothing new to say, and takes nothing away.
        grown = np.full(max(len(self.users), numbers[-1] + 1), -1, dtype=np.int64)
        grown[: len(self.users)] = self.users
        grown[numbers] = users
        self.users = grown

    def users_of(self, devices: BitMap) -> BitMap:
        """Whose these devices are."""
        known = numbers_of(devices)
        owners = np.unique(self.users[known[known < len(self.users)]])
        return BitMap(array("I", owners[owners >= 0].astype(np.uint32).tobytes()))

    def of(self, users: BitMap) -> BitMap:
        """The devices of these users."""
        wanted = np.zeros(max(int(self.users.max(initial=0)), users.max() if users else 0) + 2, dtype=bool)
        wanted[numbers_of(users)] = True
        # Who is told of no device has the number -1, and is looked up at the very end: that is nobody.
        found = np.flatnonzero(wanted[self.users]).astype(np.uint32)
        return BitMap(array("I", found.tobytes()))


Known = OrderedDict[tuple[int, int], Owners]
"""By project and shard; those that were asked for last come last."""
_known: WeakKeyDictionary[Engine, Known] = WeakKeyDictionary()
"""By database."""
MOST_BYTES = 128 * 1024 * 1024
"""Of all that is known of one database: 16 million devices."""


async def owners(session: ReadSession, project_id: int, shards: int) -> dict[int, Owners]:
    """By shard: whose devices are, as far as this snapshot knows. What is known is not read again."""
    bind = session.get_bind()
    known = _known.setdefault(bind if isinstance(bind, Engine) else bind.engine, OrderedDict())
    found = {}
    for shard in range(shards):
        found[shard] = known.setdefault((project_id, shard), Owners())
        known.move_to_end((project_id, shard))
        about = {"shard": shard, "project_id": project_id, "most": PAGE}
        while rows := await session.rows(_NEW, {**about, "after": len(found[shard].users) - 1}):
            found[shard].learn(*map(list, zip(*rows, strict=True)))
    forget(known)
    return found


def forget(known: Known) -> None:
    """Those that nobody has asked for longest, as far as there is no room for them."""
    taken = sum(one.users.nbytes for one in known.values())
    while taken > MOST_BYTES:
        _, oldest = known.popitem(last=False)
        taken -= oldest.users.nbytes
