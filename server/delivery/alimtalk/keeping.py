"""What an attempt was made with and what made it lawful, kept in the transaction that notes the attempt."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from server.alimtalk.declaration import to_data
from server.store import attempts
from server.store.attempts import Attempt, Made
from server.store.sessions import WriteSession

from .choosing import Chosen
from .sheets import Sheet
from .values import coupon_of


async def keep(
    session: WriteSession, shard: int, chosen: Chosen, begun: Sequence[Attempt], rows: Mapping[int, Any]
) -> None:
    """`begun` are the attempts that were noted, `rows` their messages."""
    made = [
        Made(one.id, one.attempt, sheet.number, evidence_of(rows[one.id], sheet, chosen.agreed.get(one.id)))
        for one in begun
        if (sheet := chosen.sheets.get(one.id)) is not None
    ]
    if made:
        await attempts.note_templates(session, shard, made)


def evidence_of(row: Any, sheet: Sheet, agreed: Any) -> str:
    """Of a notice about coupons or points: everything that somebody would ask for years later."""
    if not sheet.declaration.is_of_benefit:
        return ""
    event = orjson.loads(row.event)
    told = {
        "template": sheet.key,
        "version": sheet.number,
        "code": sheet.code,
        "connection": sheet.connection_id,
        "declaration": to_data(sheet.declaration),
        "consent": None if agreed is None else _consent(agreed),
        "coupon": str(coupon_of(event["name"], event["properties"]).get("code", "")),
    }
    return orjson.dumps(told).decode()


def _consent(agreed: Any) -> dict[str, Any]:
    names = ("channel", "purpose", "decided_at", "source", "evidence", "basis", "until")
    return {name: getattr(agreed, name) for name in names}
