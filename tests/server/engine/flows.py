"""What tests of waiting steps share: receipts for the messages of a world, and graphs that branch."""

from typing import Any

from channels.contract import ReceiptKind
from server.clock import Instant
from server.delivery.receipts import HeardReceipt, encode
from server.store import inbox
from server.store.receipts import key_of
from server.store.tables import Message
from tests.world import World, step


async def heard(world: World, message_id: int, kind: str, at: Instant, **more: Any) -> None:
    """Lets the world hear one thing of a message."""
    shard, _ = key_of(message_id)
    receipt = HeardReceipt(message_id, f"{kind}-{at}", ReceiptKind(kind), at, **more)
    async with world.db.write() as session:
        await inbox.append(
            session, [inbox.Entry(shard, world.project_id, inbox.RECEIPT, encode(receipt), at)]
        )
    await world.settle()


async def first_message(world: World) -> int:
    return int((await world.rows(Message, "id"))[0].id)


def fan(entry: dict[str, Any], middle: dict[str, Any], *outputs: str, **more: Any) -> dict[str, Any]:
    """An entry, one step, and an exit of its own for each of its outputs."""
    exits = [step(f"exit-{output}", "exit") for output in outputs]
    edges = [{"from": entry["key"], "output": "next", "to": middle["key"]}]
    edges += [{"from": middle["key"], "output": output, "to": f"exit-{output}"} for output in outputs]
    return {"steps": [entry, middle, *exits], "edges": edges, **more}
