"""What stands before or behind the figures of every sheet: whose they are, of which days, as of when."""

from server.global_ids import global_id

from .campaign import Campaign
from .figure import Figure, text, time
from .words import CLOCKS


def id_of(row: Campaign) -> str:
    assert row.journey.id is not None
    return global_id("Journey", row.journey.id)


JOURNEY: tuple[Figure[Campaign], ...] = (
    text("journey_id", "여정 UUID", "Journey UUID", "The journey's id, as the API has it.", id_of),
    text("journey_title", "여정", "Journey", "The journey's title.", lambda row: row.journey.title),
)

SPAN: tuple[Figure[Campaign], ...] = (
    text(
        "from",
        "기간 시작",
        "From",
        "The first day of the period, or the day itself; empty for the very beginning.",
        lambda row: row.span.first and row.span.first.isoformat(),
    ),
    text(
        "until",
        "기간 끝",
        "Until",
        "The day after the last, which is not part of it; empty for no end.",
        lambda row: row.span.until and row.span.until.isoformat(),
    ),
    text(
        "clock",
        "기간 기준",
        "Clock",
        "`happened`: what happened in these days; `entered`: what came of the runs that entered in them.",
        lambda row: row.clock,
        CLOCKS,
    ),
)

AS_OF: tuple[Figure[Campaign], ...] = (
    time(
        "as_of",
        "기준 시각",
        "As of",
        "When the export began: what says now is as of then.",
        lambda row: row.as_of,
    ),
    time(
        "counted_until",
        "집계 기준 시각",
        "Counted until",
        "Everything that we were told before it is counted.",
        lambda row: row.watermark,
    ),
)
