"""What no database can keep is refused in words, wherever it stands."""

import pytest

from server.schema.ids import to_id
from server.schema.pages import cursor_of
from tests.server.schema.api import Api

pytestmark = pytest.mark.anyio

LONG = "1" * 30
STEP = '{entryEvent: {key: "a", event: "b", where: [{name: "x", operator: EQUALS, value: %s}]}}'


def after(name: str, *place: object, order: str = "") -> str:
    return f'{{ journeys(first: 1, after: "{cursor_of(name, *place)}", {order}) {{ edges {{ cursor }} }} }}'


@pytest.mark.parametrize(
    "text",
    [
        'mutation { createJourney(input: {title: "a\\u0000b"}) { __typename } }',
        '{ journeys(filter: {text: "\\u0000"}) { edges { cursor } } }',
        '{ user(identity: {userId: "\\u0000"}) { id } }',
        'mutation { createJourney(input: {title: "a", graph: {edges: [], steps: [%s]}}) { __typename } }'
        % (STEP % LONG),
        after("journeys/created_at/descending", "x", 1),
        after("journeys/created_at/descending", 2**63, 1),
        after("journeys/created_at/descending", 1),
        after("journeys/title/descending", "\0", 1, order="orderBy: {by: TITLE}"),
    ],
)
async def test_it_is_refused_in_words(api: Api, text: str) -> None:
    assert (await api.error(text))["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "text",
    [
        f'{{ node(id: "{to_id("Journey", 2**31)}") {{ id }} }}',
        f'{{ node(id: "{to_id("Version", 1, 2**31)}") {{ id }} }}',
        f'{{ node(id: "{to_id("Connection", 2**31)}") {{ id }} }}',
        after("journeys/created_at/descending", 1, 2**31),
    ],
)
async def test_a_number_that_no_key_can_have_is_refused_in_words(api: Api, text: str) -> None:
    assert (await api.error(text))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_text_that_no_title_can_hold_is_refused_in_words(api: Api) -> None:
    text = "query($text: String) { journeys(filter: {text: $text}) { edges { cursor } } }"
    assert (await api.error(text, text="a" * 60_000))["extensions"]["code"] == "BAD_USER_INPUT"
