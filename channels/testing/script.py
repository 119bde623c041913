"""Faults on demand: what the fake provider shall do instead of what it would have done."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from channels.contract import Message, Outcome


@dataclass(frozen=True, eq=False)
class Hang:
    """A send that does not return. Wait for `reached`, then cancel the send or set `release`.

    With `after_leaving` the provider has the message already, and only its answer is missing.
    """

    after_leaving: bool = False
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> None:
        self.reached.set()
        await self.release.wait()


Fault: TypeAlias = Outcome | Hang | BaseException
"""An outcome to return (`Unknown` did reach the provider), a hang, or an exception to raise."""


class Script:
    """Which sends go wrong, and how. A sequence is used up one fault a send, then all is as usual."""

    def __init__(
        self,
        *,
        addresses: Mapping[str, Fault | Sequence[Fault]] | None = None,
        turns: Mapping[int, Fault] | None = None,
    ) -> None:
        """`addresses` by recipient; `turns` by the number of the send, the first being 1, and wins."""
        self._turns = dict(turns or {})
        self._always: dict[str, Fault] = {}
        self._once: dict[str, deque[Fault]] = {}
        for address, fault in (addresses or {}).items():
            if isinstance(fault, Sequence):
                self._once[address] = deque(fault)
            else:
                self._always[address] = fault

    def fault(self, message: Message, turn: int) -> Fault | None:
        """The fault for this send, None when it shall go as usual."""
        if turn in self._turns:
            return self._turns[turn]
        if queue := self._once.get(message.to):
            return queue.popleft()
        return self._always.get(message.to)
