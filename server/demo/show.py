"""What a visitor of the demo is shown: ready questions about the sample, with the keys to ask them."""

from typing import Any

import orjson

from server.app import Showcase
from server.routes import examples
from server.routes.examples import Example

from .api import Api
from .fill import Filled
from .journeys import CART

RUNS = """
query ($id: ID!) {
  journey(id: $id) {
    runs(first: 100) {
      edges { node {
        user { userId }
        visits { message { status engagements { kind } } }
        conversions { goalKey }
      } }
    }
  }
}"""


async def showcase(api: Api, filled: Filled) -> Showcase:
    """The tabs of GraphiQL, filled in, and the keys, which are made to be seen."""
    person = await telling_person(api, filled.journeys[CART])
    return Showcase(
        write_key=filled.keys.write_key,
        graphiql_headers=_json({"Authorization": f"Bearer {filled.keys.secret_key}"}),
        examples=_examples(filled.journeys[CART], person),
    )


async def telling_person(api: Api, journey_id: str) -> str:
    """The user id of somebody of whom this journey has much to tell."""
    runs = (await api.ask(RUNS, id=journey_id))["journey"]["runs"]["edges"]
    known = [run["node"] for run in runs if run["node"]["user"]["userId"]]
    found: str = max(known, key=_much)["user"]["userId"]
    return found


def _much(run: dict[str, Any]) -> int:
    messages = [visit["message"] for visit in run["visits"] if visit["message"]]
    return 3 * len(messages) + sum(len(one["engagements"]) for one in messages) + len(run["conversions"])


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
