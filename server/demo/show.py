"""What a visitor of the demo is shown: ready questions about the sample, with the keys to ask them."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from server.app import Showcase
from server.errors import CannotOpen
from server.routes import examples
from server.routes.examples import Example

from .api import Api
from .fill import Filled
from .journeys import CART

MOST_PAGES = 10
VISITOR = "me"
"""Who sends the event that the terminal proposes."""
JOURNEYS = "{ journeys(first: 20) { edges { node { id title } } } }"
RUNS = """
query ($id: ID!, $after: String) {
  journey(id: $id) {
    runs(first: 50, after: $after, filter: {state: ENDED}) {
      pageInfo { hasNextPage endCursor }
      edges { node {
        enteredAt
        user { userId }
        visits { message { status engagements { kind } } }
        conversions { goalKey }
      } }
    }
  }
}"""


async def showcase(api: Api) -> Showcase:
    """The tabs of GraphiQL, filled in, and the keys, which are made to be seen."""
    journeys = (await api.ask(JOURNEYS))["journeys"]["edges"]
    cart = next((one["node"]["id"] for one in journeys if one["node"]["title"] == CART), None)
    if cart is None:
        raise CannotOpen("This sample is not whole. Run `sojourn demo` without --keep.")
    return Showcase(
        write_key=api.keys.write_key,
        graphiql_headers=_json({"Authorization": f"Bearer {api.keys.secret_key}"}),
        examples=_examples(cart, await telling_person(api, cart)),
    )


async def telling_person(api: Api, journey_id: str) -> str:
    """The user id of somebody who went through few times and has much to tell, of the newest runs."""
    runs: list[dict[str, Any]] = []
    after = None
    for _ in range(MOST_PAGES):
        page = (await api.ask(RUNS, id=journey_id, after=after))["journey"]["runs"]
        runs += [edge["node"] for edge in page["edges"] if edge["node"]["user"]["userId"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    times = Counter(run["user"]["userId"] for run in runs)
    stories = sorted(runs, key=lambda run: (_much(run) - 2 * times[run["user"]["userId"]], run["enteredAt"]))
    return str(stories[-1]["user"]["userId"]) if stories else VISITOR


def _much(run: dict[str, Any]) -> int:
    """Both mails read, a click and a purchase after all: that is a story."""
    messages = [visit["message"] for visit in run["visits"] if visit["message"]]
    engagements = sum(len(one["engagements"]) for one in messages)
    return 2 * len(messages) + engagements + (4 if messages and run["conversions"] else 0)


def _examples(journey_id: str, person: str) -> list[Example]:
    about = {"journey": journey_id}
    return [
        examples.load("canvas", "Sample data. The canvas of a journey, with its numbers", _json(about)),
        examples.load(
            "user-path",
            "Sample data. The way of one sample person through it",
            _json({**about, "identity": {"userId": person}}),
        ),
        examples.load("delivery-issues", "Sample data. What was not delivered, and why", _json(about)),
    ]


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def tell(console: Console, filled: Filled, path: Path, url: str) -> None:
    """Says what there is and what to open; nothing to open without a `url`."""
    if filled.events:
        console.print(f"{filled.events:,} events and {filled.mails:,} messages, in {path}.")
    console.print("[bold yellow]All of it is sample data[/]: no real person, no real mail.")
    console.print("These keys are made to be shown:")
    console.print(f"  write key, for events    {filled.keys.write_key}", highlight=False)
    console.print(f"  secret key, for the API  {filled.keys.secret_key}", highlight=False)
    if not url:
        return
    console.print()
    console.print(f"Open   [bold]{url}/graphql[/]  three questions are ready, each in a tab")
    console.print(f"       [bold]{url}/[/]         what is where")
    console.print(f"Send an event of your own, and find yourself by userId `{VISITOR}` in the tab UserPath:")
    console.print()
    # As it is: no wrapping, so that it can be copied.
    console.print(_curl(url, filled.keys.write_key), highlight=False, markup=False, soft_wrap=True)
    console.print()
    console.print("Stop with Ctrl+C.")


def _curl(url: str, key: str) -> str:
    """Puts something into the cart: whoever does that enters the journey of the ready questions."""
    event = {
        "userId": VISITOR,
        "event": "add_to_cart",
        "properties": {"name": "제주 감귤 5kg", "price": 24900},
    }
    said = orjson.dumps(event).decode()
    return f"  curl {url}/v1/track -u {key}: -H 'Content-Type: application/json' -d '{said}'"
