"""Who gets how much of a hand that is not endless: every project its part, however long its queue is."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Shares:
    """What the projects have in hand, out of `most` for all of them.

    A project may have as much as it leaves free. So one that is alone has half, and whoever comes later
    finds room at once, even while nothing of the others comes to an end.
    """

    most: int
    _in_hand: Counter[int] = field(default_factory=Counter)
    _total: int = 0
    _served: dict[int, int] = field(default_factory=dict)
    _turn: int = 0

    def room(self, project_id: int) -> int:
        """How many more this project may take up now."""
        free = self.most - self._total
        own = self._in_hand[project_id]
        if free <= 0 or own >= free:
            return 1 if free > 0 and own == 0 else 0
        return max(1, (free - own) // 2)

    def pick_up(self, project_id: int, messages: int) -> None:
        self._in_hand[project_id] += messages
        self._total += messages

    def put_down(self, project_id: int, messages: int) -> None:
        self.pick_up(project_id, -messages)
        if not self._in_hand[project_id]:
            del self._in_hand[project_id]

    def in_turn(self, connection_ids: Iterable[int], project_of: Callable[[int], int]) -> list[int]:
        """These connections in the order to serve them in: the projects in turn, each with one at a time."""
        queues: dict[int, list[int]] = {}
        for connection_id in connection_ids:
            queues.setdefault(project_of(connection_id), []).append(connection_id)
        # Whoever was served longest ago comes first, and within a project its connections take turns.
        projects = sorted(queues, key=lambda project_id: self._served.get(project_id, 0))
        ordered: list[int] = []
        while queues:
            for project_id in [one for one in projects if one in queues]:
                self._turn += 1
                self._served[project_id] = self._turn
                queue = queues[project_id]
                ordered.append(queue.pop((self._turn - 1) % len(queue)))
                if not queue:
                    del queues[project_id]
        return ordered
