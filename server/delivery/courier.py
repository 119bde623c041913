"""One call of a provider, from the claimed messages to the receipts of what became of each."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

import structlog

from channels.contract import (
    Accepted,
    AskingSender,
    BatchSender,
    Deferred,
    Message,
    OnUnknown,
    Outcome,
    ReceiptKind,
    Unknown,
)
from channels.reasons import Reason
from server.clock import Clock, Instant
from server.delivery.receipts import HeardReceipt
from server.delivery.status import SkipReason
from server.errors import ServerError
from server.store import outbox
from server.store.database import Database
from server.templates.render import TemplateProblem

from .alimtalk.sheets import limits_of
from .alimtalk.using import Uses
from .alimtalk.writing import NoTemplate, Unfit
from .claims import EXPIRED, PARKED, SILENT, UNSETTLED, Claimed, held_back, held_by_silence, is_uncertain
from .content import Writer, reference_of
from .hiding import hide
from .lanes import Lane
from .outcomes import Ways, is_well_formed, receipt_of, tell
from .quiet import Quiet
from .routing import Routes
from .senders import OpenSender, Senders

LONGEST_SEND_SECONDS = 660.0
"""An answer that takes longer than this does not come. SMTP alone may take its 10 minutes."""
FRESH_SECONDS = 0.5
"""A claimed message that has waited longer than this is looked at again before it leaves."""
WRITTEN_IN_A_ROW = 50
"""Messages that are rendered before others get their turn."""
_NO_OTHER = Ways()
_UNWRITTEN = {
    TemplateProblem: SkipReason.TEMPLATE_ERROR,
    Unfit: SkipReason.CONTENT_INVALID,
    NoTemplate: SkipReason.TEMPLATE_UNAVAILABLE,
}
log = structlog.get_logger("delivery")

Key = tuple[int, int]
Told = tuple[Claimed, HeardReceipt | None]
"""A message and what became of it; none if nothing has left and the attempt shall be taken back."""


@dataclass(slots=True)
class Courier:
    """Hands messages over. Never raises for what one message, its template or its provider do."""

    db: Database
    clock: Clock
    senders: Senders
    writer: Writer
    routes: Routes
    quiet: Quiet = field(default_factory=Quiet)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nothing may leave any more: what has not is put back."""
    _left: set[Key] = field(default_factory=set)
    """Messages that a provider may have seen something of."""
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _uses: Uses = field(init=False)

    def __post_init__(self) -> None:
        self._uses = Uses(self.db)

    def has_left(self, claimed: Claimed) -> bool:
        return claimed.key in self._left

    async def deliver(self, lane: Lane, batch: Sequence[Claimed]) -> list[Told]:
        """What became of each of these messages of a lane, in any order."""
        try:
            return await self._deliver(lane, batch)
        except asyncio.CancelledError:
            if not self.closing.is_set():
                raise
            return [(one, self._cut_off(one)) for one in batch]
        finally:
            self._left.difference_update(one.key for one in batch)

    async def _deliver(self, lane: Lane, batch: Sequence[Claimed]) -> list[Told]:
        await self._wait_for_turn(lane, len(batch))
        if self.closing.is_set() or not self.routes.is_open(lane.route.row.id, self.clock.now()):
            return [(one, None) for one in batch]
        told, ready = await self._sorted(lane, batch)
        if not ready:
            return told
        try:
            async with self.senders.use(lane.route.row.id) as opened, opened.slot:
                late, ready = await self._sorted(lane, ready) if opened.makes_wait else ([], ready)
                return told + late + await self._hand_over(opened, ready)
        except ServerError as error:
            return told + self._not_now(ready, error.code, error.message)
        except Exception as error:
            if any(self.has_left(one) for one in ready):
                raise
            log.exception("a sender could not be opened", connection=lane.route.row.id)
            return told + self._not_now(ready, "defect", type(error).__name__)

    async def _sorted(self, lane: Lane, batch: Sequence[Claimed]) -> tuple[list[Told], list[Claimed]]:
        """Those that stay here after all, and those that may go, as the world is now."""
        await self._look_again(lane, batch)
        told: list[Told] = []
        ready: list[Claimed] = []
        for one in batch:
            held_back, why = self._held_back(one)
            if held_back:
                told.append((one, why))
            else:
                ready.append(one)
        return told, ready

    async def _wait_for_turn(self, lane: Lane, turns: int) -> None:
        seconds = lane.seconds_until_turn(turns)
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.closing.wait(), seconds)

    def _held_back(self, claimed: Claimed) -> tuple[bool, HeardReceipt | None]:
        """Whether a message stays here after all, and what is to be heard of that."""
        at = self.at(claimed)
        why = held_back(claimed.row, self.clock.now()) or held_by_silence(claimed.row, at, self.quiet)
        if not why:
            return False, None
        if why in (PARKED, SILENT):
            return True, None
        if why == EXPIRED:
            return True, tell(claimed, ReceiptKind.EXPIRED, at, reason=Reason.EXPIRED.value)
        if why == UNSETTLED:
            return True, tell(claimed, ReceiptKind.UNKNOWN, at, reason=Reason.OUTCOME_UNKNOWN.value)
        return True, tell(claimed, ReceiptKind.SKIPPED, at, reason=why)

    async def _look_again(self, lane: Lane, batch: Sequence[Claimed]) -> None:
        """At all of the lane that have waited too long, at once: whoever comes next finds it done."""
        if all(one.waited_seconds <= FRESH_SECONDS for one in batch):
            return
        async with self._looking:
            stale: defaultdict[int, dict[int, Claimed]] = defaultdict(dict)
            for one in (*batch, *lane.waiting):
                if one.waited_seconds > FRESH_SECONDS:
                    stale[one.shard][one.row.id] = one
            for shard, waiting in stale.items():
                async with self.db.read() as session:
                    rows = await outbox.with_their_world(session, shard, waiting)
                for row in rows:
                    waiting[row.id].look(row)

    async def _hand_over(self, opened: OpenSender, ready: Sequence[Claimed]) -> list[Told]:
        capabilities = opened.connection.adapter.capabilities
        asks, limits = capabilities.on_unknown is OnUnknown.ASK, limits_of(opened.connection.adapter)
        told: list[Told] = []
        written: list[tuple[Claimed, Message]] = []
        earlier, bought = await self.writer.recall(ready), await self.writer.shopping(ready)
        for number, one in enumerate(ready):
            if number % WRITTEN_IN_A_ROW == WRITTEN_IN_A_ROW - 1:
                await asyncio.sleep(0)
            if asks and is_uncertain(one.row):
                told.append((one, await self._ask(opened, one, reference_of(one))))
                continue
            try:
                told_of = (earlier.get(one.key), bought.get(one.key))
                message = await self.writer.write(one, capabilities.content, *told_of, limits)
            except (TemplateProblem, Unfit, NoTemplate) as problem:
                told.append((one, self._unwritten(one, problem)))
            except Exception as error:
                log.exception("a message could not be made ready", connection=opened.connection.id)
                told += self._not_now([one], "defect", type(error).__name__, counts=False)
            else:
                written.append((one, message))
        if not written:
            return told
        self._left.update(one.key for one, _ in written)
        outcomes = await self._send(opened, [message for _, message in written], capabilities.batch_size)
        receipts = [self._told(one, outcome) for (one, _), outcome in zip(written, outcomes, strict=True)]
        await self._note_use(
            [
                one
                for (one, _), outcome in zip(written, outcomes, strict=True)
                if isinstance(outcome, Accepted)
            ]
        )
        return told + [(one, receipt) for (one, _), receipt in zip(written, receipts, strict=True)]

    def _unwritten(self, claimed: Claimed, problem: TemplateProblem | Unfit | NoTemplate) -> HeardReceipt:
        at = self.at(claimed)
        if isinstance(problem, NoTemplate) and is_uncertain(claimed.row):
            return tell(claimed, ReceiptKind.UNKNOWN, at, reason=Reason.OUTCOME_UNKNOWN.value)
        reason = _UNWRITTEN[type(problem)].value
        return tell(claimed, ReceiptKind.SKIPPED, at, reason=reason, detail=str(problem))

    async def _note_use(self, accepted: Sequence[Claimed]) -> None:
        made = [one for one in accepted if one.sheet is not None]
        if made:
            at = max(self.at(one) for one in made)
            await self._uses.note([one.sheet for one in made if one.sheet is not None], at)

    async def _send(
        self, opened: OpenSender, written: Sequence[Message], batch_size: int
    ) -> Sequence[Outcome]:
        """One outcome each, whatever the adapter does."""
        outcomes: Sequence[Outcome]
        try:
            async with asyncio.timeout(LONGEST_SEND_SECONDS):
                if batch_size > 1:
                    outcomes = list(await cast(BatchSender, opened.sender).send_many(written))
                else:
                    outcomes = [await opened.sender.send(written[0])]
        except TimeoutError:
            outcomes = [Unknown(text=f"no answer within {LONGEST_SEND_SECONDS:.0f} seconds")] * len(written)
        except Exception as error:
            outcomes = [_defect(opened, error)] * len(written)
        if len(outcomes) != len(written):
            about = {"messages": len(written), "outcomes": len(outcomes), "connection": opened.connection.id}
            log.error("an adapter told of more or fewer messages than it was handed", **about)
            return [Unknown(code="defect", text="not one outcome a message")] * len(written)
        return [_understood(opened, one) for one in outcomes]

    async def _ask(self, opened: OpenSender, claimed: Claimed, reference: str) -> HeardReceipt:
        self._left.add(claimed.key)
        try:
            async with asyncio.timeout(LONGEST_SEND_SECONDS):
                outcome = _understood(opened, await cast(AskingSender, opened.sender).ask(reference))
        except TimeoutError:
            outcome = Unknown(text=f"no answer within {LONGEST_SEND_SECONDS:.0f} seconds")
        except Exception as error:
            outcome = _defect(opened, error)
        return self._told(claimed, outcome, was_asked=True)

    def _told(
        self, claimed: Claimed, outcome: Outcome, *, was_asked: bool = False, counts: bool = True
    ) -> HeardReceipt:
        row, now = claimed.row, self.clock.now()
        if counts:
            self.routes.health.hear(row.connection_id, outcome, now)
        ways = _NO_OTHER if isinstance(outcome, Accepted) else self._ways(claimed, now, was_asked)
        return receipt_of(outcome, claimed, self.at(claimed), ways)

    def _ways(self, claimed: Claimed, now: Instant, was_asked: bool) -> Ways:
        row, onward = claimed.row, None
        if row.may_fail_over and (was_asked or not is_uncertain(row)):
            onward = self.routes.onward(row.connection_id, now, even_shut=True, among=claimed.onward)
        return Ways(self.routes.on_unknown(row.connection_id), onward, was_asked)

    def _not_now(
        self, claimed: Sequence[Claimed], code: str, text: str, *, counts: bool = True
    ) -> list[Told]:
        """For what keeps messages from leaving that is no fault of theirs."""
        outcome = Deferred(self.clock.now(), Reason.PROVIDER_ERROR, code, text)
        return [(one, self._told(one, outcome, counts=counts)) for one in claimed]

    def _cut_off(self, claimed: Claimed) -> HeardReceipt | None:
        """For a send that a shutdown has ended: if it has left, it may have arrived."""
        if not self.has_left(claimed):
            return None
        outcome = Unknown(text="cut off by a shutdown before an answer came")
        return self._told(claimed, outcome, counts=False)

    def at(self, claimed: Claimed) -> Instant:
        """When an outcome is heard: on the virtual clock, at the instant of the attempt itself."""
        return claimed.attempted_at if self.clock.follows_events else self.clock.now()


def _understood(opened: OpenSender, outcome: Outcome) -> Outcome:
    """The outcome; what the contract does not know says nothing, and must cost nobody else's messages."""
    if is_well_formed(outcome):
        return _without_secrets(opened, outcome)
    about: dict[str, Any] = {"adapter": opened.connection.adapter.key, "connection": opened.connection.id}
    log.error("an adapter told something that is no outcome", type=type(outcome).__name__, **about)
    return Unknown(code="defect", text="no outcome of the contract")


def _without_secrets(opened: OpenSender, outcome: Outcome) -> Outcome:
    """Providers quote what they were sent, keys too."""
    if not outcome.text and not outcome.code:
        return outcome
    code, text = hide(opened.secrets, outcome.code), hide(opened.secrets, outcome.text)
    return outcome if (code, text) == (outcome.code, outcome.text) else replace(outcome, code=code, text=text)


def _defect(opened: OpenSender, error: Exception) -> Unknown:
    """The contract calls an exception a defect of the adapter; what has left by then nobody knows."""
    about: dict[str, Any] = {"adapter": opened.connection.adapter.key, "connection": opened.connection.id}
    log.error("an adapter raised instead of telling an outcome", exc_info=error, **about)
    return Unknown(code="defect", text=type(error).__name__)
