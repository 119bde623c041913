"""Silent hours at the claim: what would leave in them waits for their end.

A run waits before its message is born, so this concerns what is late: parked by a pause, tried again, or kept
in a backlog. The silence is that of the version which decided the message, in the zone where the person
is now; and that of the law, where the project goes by one. Whichever is longer holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.clock import Instant
from server.journey.local_time import local_of, zone_of_person
from server.journey.reading import Reader
from server.journey.silence import Silence, read_silence
from server.store import outbox
from server.store.sessions import ReadSession

from . import law

_NOTHING = Silence()
_MOST_VERSIONS = 10_000


@dataclass(slots=True)
class Quiet:
    """What is known of silence. Published versions never change, so it is read once."""

    _silences: dict[tuple[int, int], Silence] = field(default_factory=dict)

    async def learn(self, session: ReadSession, rows: Sequence[Any]) -> None:
        """Reads the silence of the versions of these messages, as far as it is not known."""
        wanted = {(row.journey_id, row.version) for row in rows} - self._silences.keys()
        if not wanted:
            return
        if len(self._silences) > _MOST_VERSIONS:
            self._silences.clear()
        texts = await outbox.graph_texts(session, wanted)
        # A journey that is not there any more keeps no silence.
        self._silences.update({version: _silence_in(texts.get(version, "{}")) for version in wanted})

    def opens_at(self, row: Any, at: Instant) -> Instant:
        """When the message may leave, as far as silence goes: at once, or when it is over."""
        silence = self._silences.get((row.journey_id, row.version), _NOTHING)
        rules = silence.rules + law.nights_of(row, at)
        if not rules:
            return at
        return Silence(rules).next_open(at, row.channel, row.purpose, _zone_of(row))


def told(row: Any, opens: Instant, at: Instant) -> str:
    """Why it waits, for whoever asks."""
    zone = _zone_of(row)
    why = "; at night the law wants a consent of its own" if law.nights_of(row, at) else ""
    return f"waits for the end of silent hours: {local_of(opens, zone):%Y-%m-%d %H:%M} in {zone}{why}"


def _silence_in(text: str) -> Silence:
    return read_silence(Reader(orjson.loads(text)))


def _zone_of(row: Any) -> str:
    return zone_of_person(orjson.loads(row.attributes or "{}"), row.time_zone)
