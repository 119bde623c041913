"""No speed: many messages through a provider that goes wrong and a dispatcher that is killed on the way.

Afterwards what the provider took over is laid beside what the database says. Exits with 1 if a message was
handed over twice that must not be, if one has no end, or if an unknown one is not listed.
"""

import argparse
import asyncio
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench._outbox import connect, fill, prepared
from bench._provider import Provider
from bench._report import heading
from server.aggregates.recount import differences, rebuild
from server.delivery.hearing import write_reference
from server.doctor import examine
from server.store.bulk import table_of
from server.store.database import Database
from server.store.tables import Inbox, Message, Receipt

ENDS = {"accepted", "failed", "expired", "unknown", "skipped"}
UNCERTAIN = "outcome_unknown"


@dataclass
class Verdict:
    """What was found."""

    statuses: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    """Different messages that the provider took over."""
    doubles: int = 0
    """Hand-overs beyond the first, all to a provider that could tell the double."""
    wrong: list[str] = field(default_factory=list)


def judge(
    messages: list[Any],
    receipts: Mapping[int, list[Any]],
    taken: Mapping[str, int],
    adapters: Mapping[int, str],
) -> Verdict:
    """Lays the provider's account beside ours."""
    verdict = Verdict(taken=len(taken))
    for message in messages:
        verdict.statuses[message.status] += 1
        reference = write_reference(message.project_id, message.shard, message.id)
        count, heard = taken.get(reference, 0), receipts.get(message.id, [])
        verdict.doubles += max(0, count - 1)
        told = [
            "has no end" if message.status not in ENDS or message.due_at is not None else "",
            "is accepted, and the provider never had it"
            if message.status == "accepted" and not count
            else "",
            f"is {message.status}, and the provider has it"
            if count and message.status not in ("accepted", "unknown")
            else "",
            "is unknown, and no receipt says so"
            if message.status == "unknown" and all(one.kind != "unknown" for one in heard)
            else "",
            _double(message, heard, count, adapters[message.connection_id]),
        ]
        verdict.wrong += [f"message {message.id} {why}" for why in told if why]
    return verdict


def _double(message: Any, heard: list[Any], count: int, adapter: str) -> str:
    """Each hand-over beyond the first needs an attempt before it of which nobody knew the outcome."""
    uncertain = sum(one.kind == "deferred" and one.reason == UNCERTAIN for one in heard)
    if adapter == "single" and count > 1:
        return f"was handed over {count} times"
    if count > 1 + uncertain:
        return f"was handed over {count} times, with {uncertain} attempts of unknown outcome"
    accepted = [one.key for one in heard if one.kind == "accepted" and one.key.startswith("attempt:")]
    if accepted and int(accepted[0].split(":")[1]) < message.attempt:
        return "was handed over again after its acceptance was known"
    return ""


class Soak:
    """A database, a provider, and a worker that is killed and started again."""

    def __init__(self, folder: Path, speed: int) -> None:
        self.url = f"sqlite:///{folder}/soak.db"
        self.provider = Provider(1, faults=True)
        self._log = open(folder / "worker.log", "ab")  # noqa: SIM115 - closed by close()
        self._options = ["--start", str(time.time_ns() // 1_000_000), "--speed", str(speed)]
        self.start_at = int(self._options[1])
        self.adapters: dict[int, str] = {}

    async def prepare(self, count: int) -> None:
        db = Database(self.url)
        project_id, journey_id = await prepared(db)
        for adapter in ("single", "batch"):
            number = await connect(db, project_id, adapter, adapter, self.provider.url)
            self.adapters[number] = adapter
        await fill(db, project_id, journey_id, list(self.adapters), count, self.start_at)
        async with db.write() as session:
            await rebuild(session)
        await db.close()

    def start(self) -> None:
        command = [sys.executable, "-m", "bench._soak_worker", self.url, *self._options]
        self.worker = subprocess.Popen(command, stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        self.worker.kill()
        self.worker.wait()

    def stop(self) -> None:
        self.worker.send_signal(signal.SIGTERM)
        self.worker.wait(60)

    def close(self) -> None:
        if self.worker.poll() is None:
            self.kill()
        self.provider.stop()
        self._log.close()

    async def told(self) -> tuple[int, int]:
        """How many messages have no end yet, and how many attempts were made."""
        db, table = Database(self.url, beside=True), table_of(Message)
        async with db.read() as session:
            waiting = table.c.status.in_(("queued", "attempted"))
            left = await session.rows(select(func.count()).where(waiting))
            inbox = await session.rows(select(func.count()).select_from(table_of(Inbox)))
            tries = await session.rows(select(func.sum(table.c.attempt)))
        await db.close()
        return int(left[0][0]) + int(inbox[0][0]), int(tries[0][0] or 0)

    async def verdict(self) -> Verdict:
        db = Database(self.url, beside=True)
        async with db.read() as session:
            messages = list(await session.rows(select(table_of(Message))))
            receipts: dict[int, list[Any]] = {}
            for row in await session.rows(select(table_of(Receipt))):
                receipts.setdefault(row.message_id, []).append(row)
        verdict = judge(messages, receipts, self.provider.taken(), self.adapters)
        findings = await examine(db, time.time_ns() // 1_000_000)
        verdict.wrong += [f"doctor: {one.about}: {one.wrong}" for one in findings if one.wrong]
        async with db.read() as session:
            verdict.wrong += [f"recount: {one}" for one in await differences(session)]
        await db.close()
        return verdict


async def run(folder: Path, count: int, kills: int, seed: int, speed: int, wait_seconds: float) -> Verdict:
    """All of it. A kill comes when a part of the attempts has been made, at no moment in particular."""
    soak, chance = Soak(folder, speed), random.Random(seed)
    await soak.prepare(count)
    soak.start()
    try:
        deadline = time.monotonic() + wait_seconds
        marks = sorted(chance.randrange(count) for _ in range(kills))
        while True:
            left, tries = await soak.told()
            if marks and tries >= marks[0]:
                marks.pop(0)
                await asyncio.sleep(chance.uniform(0, 0.1))
                soak.kill()
                soak.start()
            elif not left and not marks:
                break
            if soak.worker.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{left} messages have no end; see {folder}/worker.log")
            await asyncio.sleep(0.05 if count < 10_000 else 0.5)
        soak.stop()
        return await soak.verdict()
    finally:
        soak.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=int, default=300, help="how much faster than ours its clock runs")
    parser.add_argument("--wait-seconds", type=float, default=3600)
    given = parser.parse_args()
    heading("Soak", f"{given.messages:,} messages through two connections, {given.kills} kills")
    with tempfile.TemporaryDirectory() as folder:
        arguments = (given.messages, given.kills, given.seed, given.speed, given.wait_seconds)
        started = time.monotonic()
        verdict = await run(Path(folder), *arguments)
    print(f"  ended in {time.monotonic() - started:,.0f} s: {dict(verdict.statuses)}")
    print(
        f"  the provider took over {verdict.taken:,} messages, and {verdict.doubles:,} doubles that it tells"
    )
    for line in verdict.wrong[:20]:
        print(f"  WRONG  {line}")
    print("  Nothing is wrong." if not verdict.wrong else f"  {len(verdict.wrong)} wrong.")
    sys.exit(bool(verdict.wrong))


if __name__ == "__main__":
    asyncio.run(main())
