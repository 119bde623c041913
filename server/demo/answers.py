"""Prints every question that people ask of the statistics of a journey, with its query and its answer.

`python -m server.demo.answers`; it needs no network, and changes nothing: it works on a copy of the sample.
"""

import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import click

from server.cli.running import settings_for
from server.clock import WallClock
from server.config import Settings
from server.observe import configure_logs
from server.runtime import Runtime, open_runtime

from . import post
from .api import Api, api_of
from .fill import Filled, fill
from .journeys import CART, COUPON, REVIEW, WEEKEND, WELCOME
from .order import ORDER
from .rows import Asker, Row, printed, rows
from .run import ENDS_BEFORE, kept_sample
from .shop import Shop
from .show import JOURNEYS, telling_person

SMALLER = 300
"""People of the sample that is made when there is none."""
JOURNEYS_BY = {
    "cart": CART,
    "welcome": WELCOME,
    "order": ORDER,
    "review": REVIEW,
    "weekend": WEEKEND,
    "draft": COUPON,
}
BEGAN = "query ($id: ID!) { journey(id: $id) { createdAt } }"
ADDRESSES = """
query ($person: String!) {
  user(identity: { userId: $person }) { endpoints { channel address } }
}"""
RUNS = """
query ($id: ID!) {
  journey(id: $id) { runs(first: 100) { edges { node { user { userId } } } } }
}"""
CLONE = """
mutation ($id: ID!) {
  cloneJourney(input: {id: $id, title: "Spare"}) { ... on CloneJourneyPayload { journey { id } } }
}"""


@asynccontextmanager
async def opened(settings: Settings, filled: Filled) -> AsyncIterator[tuple[Runtime, Api]]:
    """The whole application over a sample, with its fake providers; nothing goes on by itself."""
    async with open_runtime(settings, parts=(), mounts=filled.providers.mounts) as runtime:
        runtime.host.channels[post.ADAPTER] = filled.provider
        filled.providers.join(runtime.host, runtime.clock)
        async with api_of(runtime, filled.keys) as api:
            yield runtime, api


async def asker(runtime: Runtime, api: Api) -> Asker:
    """Finds what the questions are about."""
    found = (await api.ask(JOURNEYS))["journeys"]["edges"]
    by_title = {one["node"]["title"]: one["node"]["id"] for one in found}
    if not by_title.keys() >= set(JOURNEYS_BY.values()):
        raise click.ClickException("This sample is not whole. Run `sojourn demo` without --keep.")
    about: dict[str, Any] = {name: by_title[title] for name, title in JOURNEYS_BY.items()}
    person = await telling_person(api, about["cart"])
    endpoints = (await api.ask(ADDRESSES, person=person))["user"]["endpoints"]
    address = next(one["address"] for one in endpoints if one["channel"] == "EMAIL")
    about |= {"person": person, "address": address, "often": await _often(api, about["cart"])}
    about |= {"spare": await _spare(api, about["cart"]), **await _days(api, about["cart"])}
    return Asker(api, runtime, about)


async def _often(api: Api, journey_id: str) -> str:
    """Whoever came in most often, of the newest runs."""
    runs = (await api.ask(RUNS, id=journey_id))["journey"]["runs"]["edges"]
    named = (run["node"]["user"]["userId"] for run in runs)
    [(found, _)] = Counter(one for one in named if one).most_common(1)
    return str(found)


async def _spare(api: Api, journey_id: str) -> str:
    """A running journey with nobody in it, to do things to."""
    made = str((await api.ask(CLONE, id=journey_id))["cloneJourney"]["journey"]["id"])
    await api.publish(made)
    await api.move_on("start", made)
    return made


async def _days(api: Api, journey_id: str) -> dict[str, str]:
    told = (await api.ask(BEGAN, id=journey_id))["journey"]["createdAt"]
    first: date = datetime.fromisoformat(told).date() - timedelta(days=1)
    since = first + timedelta(days=2)
    about = {"beginning": first, "since": since, "until": since + timedelta(days=14)}
    return {
        **{name: day.isoformat() for name, day in about.items()},
        "start": f"{first.isoformat()}T00:00:00Z",
    }


async def tell(asked: Asker, most: int | None) -> list[int]:
    """Prints all of them. Returns the numbers of those that have no answer."""
    missing = []
    for row in rows():
        click.secho(f"\n{row.number}. {row.title}", bold=True)
        if not await _tell(asked, row, most):
            click.secho("No answer.", fg="red")
            missing.append(row.number)
    return missing


async def _tell(asked: Asker, row: Row, most: int | None) -> bool:
    is_answered = True
    for question in row.questions:
        click.echo(question.text)
        answer = await asked.answer(question)
        click.echo(printed(answer, most))
        is_answered = is_answered and answer.is_one
    return is_answered


async def answers(path: Path | None, most: int | None) -> list[int]:
    with TemporaryDirectory(prefix="sojourn-answers-") as folder:
        copy = Path(folder) / "sample.db"
        settings = Settings(database_url=f"sqlite:///{copy}")
        shop = Shop(WallClock().now() - ENDS_BEFORE, people=SMALLER)
        if path is not None:
            _copy(path, copy)
            filled = await kept_sample(settings, shop)
        else:
            filled = await fill(settings, shop)
        settings = replace(settings, public_url="http://sample")
        async with opened(settings, filled) as (runtime, api):
            return await tell(await asker(runtime, api), most)


def _copy(path: Path, copy: Path) -> None:
    """Also while it is served."""
    source, target = sqlite3.connect(f"file:{path}?mode=ro", uri=True), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()


@click.command()
@click.option("--database", default=".sojourn/demo.db", show_default=True, help="The file of the sample.")
@click.option("--whole", is_flag=True, help="Prints answers whole, however long.")
def main(database: str, whole: bool) -> None:
    """Every question about the statistics of a journey, the query that answers it, and the answer.

    Without a sample at that place a smaller one is made, and gone at the end.
    """
    # The screen is for the answers; what goes wrong is still told.
    configure_logs(settings_for(None).log_format, quiet=True)
    path = Path(database)
    missing = anyio.run(answers, path if path.exists() else None, None if whole else 24)
    if missing:
        click.secho(f"\nWithout an answer: {', '.join(map(str, missing))}", fg="red", err=True)
        sys.exit(1)
    click.secho(f"\nAll {len(rows())} have an answer.", fg="green")


if __name__ == "__main__":
    main()
