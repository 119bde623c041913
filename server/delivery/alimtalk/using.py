"""When a template was last sent: relays let one sleep that nobody has used for long."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from server.clock import MINUTE, Instant
from server.store import alimtalk_registrations
from server.store.database import Database

from .sheets import Sheet

NOTED_EVERY = MINUTE
"""Of a registration a process tells the store at most so often, however much is sent with it."""
_MOST_KEPT = 10_000
log = structlog.get_logger("delivery")


@dataclass(slots=True)
class Uses:
    db: Database
    _noted: dict[int, Instant] = field(default_factory=dict)
    """By registration: the time that is in the database."""

    async def note(self, sheets: Iterable[Sheet], at: Instant) -> None:
        """That messages of these were taken over. What cannot be kept now is kept with the next."""
        used = {one.registration_id for one in sheets if self._is_due(one, at)}
        if not used:
            return
        try:
            async with self.db.write() as session:
                await alimtalk_registrations.note_sent(session, sorted(used), at)
        except (SQLAlchemyError, OSError):
            log.exception("when templates were used could not be kept yet", registrations=len(used))
            return
        if len(self._noted) + len(used) > _MOST_KEPT:
            self._noted.clear()
        self._noted.update(dict.fromkeys(used, at))

    def _is_due(self, sheet: Sheet, at: Instant) -> bool:
        noted = self._noted.get(sheet.registration_id)
        return noted is None or at >= noted + NOTED_EVERY
