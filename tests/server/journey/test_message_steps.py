"""Message steps of every kind: read from plain data, or told what is wrong."""

from typing import Any

import pytest

from channels.contract import Purpose
from server.journey.graph import read_graph
from server.journey.moment import Problem
from server.journey.steps import MESSAGES, MessageStep, channel_of
from server.journey.steps.sending import PURPOSES
from tests.world import SAYING, reaching, saying


def read(**config: Any) -> MessageStep:
    kind = config.pop("kind", "sms")
    graph, problems = read_graph(reaching(saying(kind, "one", **config)))
    assert problems == []
    step = graph.steps["one"]
    assert isinstance(step, MessageStep)
    return step


def problems(kind: str = "sms", **config: Any) -> list[tuple[tuple[str | int, ...], str]]:
    found: list[Problem] = read_graph(reaching(saying(kind, "one", **config)))[1]
    return [(problem.path[2:], problem.code) for problem in found]


def test_there_is_an_example_of_every_kind() -> None:
    assert set(SAYING) == set(MESSAGES)


@pytest.mark.parametrize("kind", SAYING)
def test_a_step_of_each_kind_knows_its_channel(kind: str) -> None:
    step = read(kind=kind)
    assert (
        step.channel == channel_of(saying(kind)) == {"alimtalk": "kakao", "message": "pigeon"}.get(kind, kind)
    )
    assert step.purpose == ("advertisement" if kind == "brand_message" else "information")
    assert (step.connection, step.expires_after_ms) == ("", None)
    assert step.asks_for_user()


def test_the_purposes_are_those_of_the_contract() -> None:
    assert tuple(Purpose) == PURPOSES


def test_a_brand_message_is_an_advertisement_and_nothing_else() -> None:
    assert read(kind="brand_message", purpose="advertisement").purpose == "advertisement"
    assert problems("brand_message", purpose="information") == [(("purpose",), "invalid")]


def test_the_title_of_a_message_is_not_that_of_its_step() -> None:
    step = read(kind="push", title="Reminder", message_title="Your cart")
    assert (step.title, step.content["title"]) == ("Reminder", "Your cart")


def test_every_text_is_a_template_and_says_where_it_stands() -> None:
    step = read(kind="sms", message_title="T", variables={"n": "V"}, options={"a": [{"b": "O"}, 1]})
    assert dict(step.templates()) == {
        ("text",): "Hello, {{ user.name }}",
        ("message_title",): "T",
        ("variables", "n"): "V",
        ("options", "a", 0, "b"): "O",
    }
    assert [path for path, _ in read(kind="message").templates()] == [("content", "text")]


def test_what_a_message_needs_is_told() -> None:
    assert problems("sms", text=" ") == [(("text",), "missing")]
    assert problems("push", text="", message_title="") == [(("message_title",), "missing")]
    assert problems("email", text="") == [(("html",), "missing")]
    assert problems("alimtalk", template=None) == [(("template",), "missing")]
    assert problems("message", channel="") == [(("channel",), "missing")]
    assert problems("message", channel="a b") == [(("channel",), "invalid")]


def test_what_is_too_much_is_told() -> None:
    assert problems(text="x" * 20_001) == [(("text",), "too_long")]
    assert problems(variables={"n": "x" * 10_001}) == [(("variables", "n"), "too_long")]
    assert problems(variables={str(n): "" for n in range(51)}) == [(("variables",), "out_of_range")]
    assert problems(options={"a": list(range(500))}) == [(("options",), "out_of_range")]
    assert problems(options={"a": "x" * 10_001}) == [(("options", "a"), "too_long")]
    assert problems(expires_after_ms=999) == [(("expires_after_ms",), "out_of_range")]
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"a": deep}
    assert problems(options=deep) == [(("options",), "out_of_range")]


def test_what_is_of_another_shape_is_told() -> None:
    assert problems(options=[1]) == [(("options",), "invalid")]
    assert problems(variables=["n"]) == [(("variables",), "invalid")]
    assert problems(variables={"n": 1}) == [(("variables", "n"), "invalid")]
    assert problems(variables={"": "x"}) == [(("variables", ""), "too_long")]
    assert problems(purpose="fun") == [(("purpose",), "invalid")]
