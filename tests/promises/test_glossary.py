"""The glossary has every word of the closed sets that people meet."""

from pathlib import Path

import pytest

from channels.contract import Actor
from server.delivery.status import DeliveryStatus
from server.engine.entering import RefusedEntry
from server.journey.moment import EndReason

PAGE = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
REFUSED = [value for name, value in vars(RefusedEntry).items() if name.isupper()]


@pytest.mark.parametrize("word", [*EndReason, *REFUSED])
def test_a_stored_word_is_in_the_glossary_as_it_is_stored(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("word", [*DeliveryStatus, *Actor])
def test_a_word_of_a_status_is_in_the_glossary(word: str) -> None:
    assert word in PAGE
