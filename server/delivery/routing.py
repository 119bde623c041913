"""Which connections there are, and which comes after which."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from channels.contract import Capabilities, OnUnknown
from channels.host import Host
from server.clock import Instant
from server.store.routes import RouteRow

from .health import HealthBook


@dataclass(frozen=True, slots=True)
class Route:
    """One connection, with what its adapter says of itself; none if that is not plugged in."""

    row: RouteRow
    capabilities: Capabilities | None

    @property
    def batch_size(self) -> int:
        return max(1, self.capabilities.batch_size) if self.capabilities else 1

    @property
    def on_unknown(self) -> OnUnknown:
        return self.capabilities.on_unknown if self.capabilities else OnUnknown.NEVER_RESEND

    @property
    def rate_per_second(self) -> float | None:
        """The lower of what the adapter says of its provider and what the operator has set."""
        theirs = self.capabilities.rate_per_second if self.capabilities else None
        rates = [rate for rate in (theirs, self.row.rate_per_second) if rate]
        return min(rates, default=None)


class Routes:
    """The connections of all projects, as last read, beside how each fares."""

    def __init__(self, host: Host, health: HealthBook) -> None:
        self.health = health
        self._host = host
        self._all: dict[int, Route] = {}
        self._after: dict[int, list[int]] = {}

    def refresh(self, rows: Sequence[RouteRow]) -> None:
        """`rows` are all there are, the preferred first."""
        channels = self._host.channels
        self._all = {
            row.id: Route(row, channels[row.adapter].capabilities if row.adapter in channels else None)
            for row in rows
        }
        self._after = _after(rows)
        self.health.refresh(rows)

    def get(self, connection_id: int) -> Route | None:
        return self._all.get(connection_id)

    def is_open(self, connection_id: int, now: Instant) -> bool:
        """Whether anything may go out through it now."""
        route = self._all.get(connection_id)
        return route is not None and route.row.is_enabled and self.health.of(connection_id).may_send(now)

    def onward(
        self, connection_id: int, now: Instant, *, even_shut: bool, among: Collection[int] | None = None
    ) -> int | None:
        """The connection that a message goes to from here: the next one that sends, or, `even_shut`, any.

        Only ever one that comes later, so that no message goes in circles; and `among` those alone that may
        send it, where not all of them may.
        """
        after = [one for one in self.later(connection_id) if among is None or one in among]
        sending = (one for one in after if self.is_open(one, now))
        return next(sending, after[0] if after and even_shut else None)

    def later(self, connection_id: int) -> list[int]:
        """The enabled connections of its kind that come after this one, in order."""
        return self._after.get(connection_id, [])

    def on_unknown(self, connection_id: int) -> OnUnknown:
        route = self._all.get(connection_id)
        return route.on_unknown if route else OnUnknown.NEVER_RESEND


def _after(rows: Sequence[RouteRow]) -> dict[int, list[int]]:
    """By connection: the enabled ones of its kind that come after it, in order."""
    alike: defaultdict[tuple[int, str, str], list[RouteRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.preference, row.id)):
        alike[row.project_id, row.channel, row.takes].append(row)
    return {
        row.id: [later.id for later in group[place + 1 :] if later.is_enabled]
        for group in alike.values()
        for place, row in enumerate(group)
    }
