"""Every word of the API has one that people read."""

import pytest

from server.aggregates.metrics import DEFINITIONS
from server.exports import run_words, words
from server.exports.sheets import Language
from server.schema.path_words import RunMark
from server.schema.words import Actor, ChannelName, EndReason, FailureReason, JourneyStatus, RefusedEntry

SETS = [
    (words.STATUSES, JourneyStatus),
    (words.END_REASONS, EndReason),
    (words.REFUSALS, RefusedEntry),
    (words.CHANNELS, ChannelName),
    (words.ACTORS, Actor),
    (words.REASONS, FailureReason),
    (run_words.MARKS, RunMark),
]


@pytest.mark.parametrize(("said", "known"), SETS)
def test_a_word_of_the_api_is_a_word_of_files(said: dict[str, words.Word], known: type) -> None:
    assert said.keys() == {one.value for one in known} - {"other"}  # type: ignore[attr-defined]  # every word is an enum


def test_every_metric_of_messages_has_a_word() -> None:
    units = ("message", "open", "click")
    counted = {one.metric.value for one in DEFINITIONS if one.unit in units}
    assert words.MESSAGES.keys() == {name for name in counted if not name.startswith(("carried", "variant"))}


@pytest.mark.parametrize("said", [*(said for said, _ in SETS), words.MESSAGES])
@pytest.mark.parametrize("language", Language)
def test_no_two_things_have_the_same_word(said: dict[str, words.Word], language: Language) -> None:
    found = [one.in_(language) for one in said.values()]
    assert len(set(found)) == len(found)


def test_what_nobody_has_a_word_for_is_called_as_it_is() -> None:
    assert words.said(words.CHANNELS, "line", Language.KO) == "line"
    assert words.said(words.CHANNELS, "push", Language.KO) == "푸시"
