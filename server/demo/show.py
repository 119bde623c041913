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

from . import alimtalk, cohorts, coupons
from .api import Api
from .fill import Filled
from .journeys import CART, COUPON, WELCOME
from .order import ORDER
from .people import phone, push_token

MOST_PAGES = 10
VISITOR = "me"
"""Who sends the events that the terminal proposes."""
VISITORS_NUMBER = 99_999
"""Its telephone; the sample has fewer people."""
JOURNEYS = "{ journeys(first: 20) { edges { node { id title } } } }"
ID = "query ($identity: IdentityInput!) { user(identity: $identity) { id } }"
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
    journeys = {one["node"]["title"]: one["node"]["id"] for one in await _journeys(api)}
    wanted = (CART, WELCOME, COUPON, ORDER, alimtalk.PAID)
    shown = [journeys[title] for title in wanted if title in journeys]
    if len(shown) < len(wanted):
        raise CannotOpen("This sample is not whole. Run `sojourn demo` without --keep.")
    cart, welcome, coupon, order, paid = shown
    person = await telling_person(api, cart)
    return Showcase(
        write_key=api.keys.write_key,
        graphiql_headers=_json({"Authorization": f"Bearer {api.keys.secret_key}"}),
        examples=[
            *_examples(cart, person),
            *_dashboards(cart),
            *_before_and_after(welcome, coupon),
            *_about_delivery(cart),
            *_of_every_channel(order),
            *_of_behaviour(),
            *_of_alimtalk(paid, await _id_of(api, person)),
        ],
    )


async def _journeys(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.ask(JOURNEYS))["journeys"]["edges"]
    return found


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
    one = _json({**about, "identity": {"userId": person}})
    return [
        examples.load("canvas", "Sample data. The canvas of a journey, with its numbers", _json(about)),
        examples.load("live", "Sample data. The same again and again: send an event, and look", _json(about)),
        examples.load("user-path", "Sample data. The way of one sample person through it", one),
        examples.load("why", "Sample data. Why that person came in, and why it went there", one),
    ]


def _dashboards(journey_id: str) -> list[Example]:
    about = _json({"journey": journey_id, "period": {"preset": "ALL"}})
    return [
        examples.load("performance", "Sample data. Performance: what the journey achieved", about),
        examples.load("audience", "Sample data. Audience: who came, who is inside, who is gone", about),
        examples.load("communications", "Sample data. Communications: each channel, each message", about),
        examples.load("health", "Sample data. The campaign's health, over time", about),
    ]


def _before_and_after(welcome: str, draft: str) -> list[Example]:
    """How an experiment has come out, and how a draft would."""
    return [
        examples.load(
            "experiment", "Sample data. Which welcome is the best, proven or not", _json({"journey": welcome})
        ),
        examples.load(
            "rehearsal",
            "A rehearsal of a draft: what would happen, before anybody real comes",
            _json(_rehearsed(draft)),
        ),
    ]


def _rehearsed(draft: str) -> dict[str, Any]:
    """Three people and a crowd come with coupons, and some use them."""
    until = {"kim": "2026-03-20", "lee": "2026-03-04", "park": "soon"}
    people = [{"name": name, "events": [_coupon(day)]} for name, day in until.items()]
    crowd = {"name": "guest", "count": 97, "events": [_coupon("2026-03-16")]}
    uses = {"event": "coupon_used", "after": "OPENED", "share": 0.4, "latestSeconds": 86_400}
    return {
        "input": {
            "journey": draft,
            "start": "2026-03-02T12:00:00+09:00",
            "people": [*people, crowd],
            "rates": [{"opened": 0.5}],
            "habits": [uses],
        }
    }


def _coupon(expires_at: str) -> dict[str, Any]:
    about = {"code": "SPRING", "name": "봄 쿠폰", "expires_at": expires_at}
    return {"event": "coupon_issued", "properties": about}


def _about_delivery(journey_id: str) -> list[Example]:
    title = "Sample data. What was not delivered, and why"
    return [examples.load("delivery-issues", title, _json({"journey": journey_id}))]


def _of_every_channel(journey_id: str) -> list[Example]:
    codes = {"filter": {"journeyId": journey_id, "period": {"preset": "LAST_30_DAYS"}}, "first": 100}
    return [
        examples.load(
            "channels",
            "Sample data. What became of messages on every channel, and what cannot be observed there",
            _json({"journey": journey_id}),
        ),
        examples.load(
            "issue-codes", "Sample data. Delivery issues by the providers' own codes", _json(codes)
        ),
        examples.load("connections", "Sample data. The connections, and how each fares"),
    ]


def _of_behaviour() -> list[Example]:
    """Who comes back, and who is who."""
    title = "Sample data. Cohorts: who comes back, by where they came from first"
    bought = {"visited": {"source": ["ad"]}}, {"not": {"purchased": {"atLeast": 1}}}
    return [
        examples.load("cohort", title, _json({"input": cohorts.NEWCOMERS})),
        examples.load(
            "segments",
            "Sample data. Segments: who came by an ad and has not bought anything yet",
            _json({"conditions": {"all": [*bought]}}),
        ),
    ]


def _of_alimtalk(paid: str, person: str) -> list[Example]:
    """What may be sent, how it looks, whom it would reach, what became of it, and what it costs."""
    shown = {"key": "order-paid", "person": person}
    lapsing = {"coupons": [coupons.CART20], "expiresWithinDays": 3}
    expiring = {"template": alimtalk.COUPON, "audience": {"members": True, "coupon": lapsing}}
    return [
        examples.load(
            "alimtalk-templates", "Sample data. Alimtalk: templates, how they stand, what reviewers said"
        ),
        examples.load(
            "alimtalk-preview",
            "Sample data. An Alimtalk as one sample person would see it",
            _json({**shown, "properties": {"order_id": "u1-1", "total": 24900}}),
        ),
        examples.load(
            "alimtalk-estimate",
            "Sample data. Whom a coupon that ends within three days reaches now, and what it costs",
            _json({"input": expiring}),
        ),
        examples.load(
            "alimtalk-figures",
            "Sample data. What became of an Alimtalk and of the texts in its place",
            _json({"journey": paid}),
        ),
        examples.load("alimtalk-costs", "Sample data. What the month's messages cost, by the price list"),
    ]


async def _id_of(api: Api, person: str) -> str:
    found = await api.ask(ID, identity={"userId": person})
    return str(found["user"]["id"])


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
    console.print(f"Open   [bold]{url}/graphql[/]  twenty-one questions are ready, each in a tab")
    console.print(f"       [bold]{url}/[/]         what is where")
    console.print("       The tabs Alimtalk… show templates and their review, a preview, costs;")
    console.print(f"       {alimtalk.CONNECTION} reviews what you hand in, in a few seconds")
    console.print("Send an event of your own, and find yourself in the tab UserPath")
    console.print(f"(in its variables, put `{VISITOR}` for the userId):")
    console.print()
    # As it is: no wrapping, so that it can be copied.
    console.print(_curl(url, filled.keys.write_key), highlight=False, markup=False, soft_wrap=True)
    console.print()
    console.print("Have a parcel of your own on its way, and be told on every channel, once a")
    console.print("userId (for UserPath, take the journey from the variables of the tab Channels):")
    console.print()
    console.print(_parcel(url, filled.keys.write_key), highlight=False, markup=False, soft_wrap=True)
    console.print()
    console.print("Stop with Ctrl+C.")


def _curl(url: str, key: str) -> str:
    """Puts something into the cart: whoever does that enters the journey of the ready questions."""
    event = {
        "userId": VISITOR,
        "event": "add_to_cart",
        "properties": {"name": "제주 감귤 5kg", "price": 24900},
    }
    return _post(f"{url}/v1/track", key, event)


def _parcel(url: str, key: str) -> str:
    """Tells where the visitor can be reached, and enters the journey on every channel."""
    traits = {
        "name": "나",
        "email": "me@shop.example",
        "phone": phone(VISITORS_NUMBER),
        "push_tokens": [push_token(VISITORS_NUMBER, "fcm"), push_token(VISITORS_NUMBER, "apns")],
    }
    about = {"order_id": "me-1", "product": "제주 감귤 5kg 2상자", "total": 49800}
    batch = [
        {"type": "identify", "userId": VISITOR, "traits": traits},
        {"type": "track", "userId": VISITOR, "event": "order_shipped", "properties": about},
    ]
    return _post(f"{url}/v1/batch", key, {"batch": batch})


def _post(address: str, key: str, body: dict[str, Any]) -> str:
    said = orjson.dumps(body).decode()
    return f"  curl {address} -u {key}: -H 'Content-Type: application/json' -d '{said}'"
