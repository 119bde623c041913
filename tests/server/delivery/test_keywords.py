"""What somebody who wrote back wants."""

import pytest

from server.delivery.keywords import meaning_of


@pytest.mark.parametrize(
    "text", ["STOP", " stop\n", "Stop.", "ＳＴＯＰ", "Stop  All", "QUIT!", "수신거부", "수신 거부", "거부"]
)
def test_a_word_that_means_no_more_does_so_however_it_is_written(text: str) -> None:
    assert meaning_of(text) == "stop"


@pytest.mark.parametrize("text", ["START", "unstop", "수신동의"])
def test_a_word_that_means_again_does_so(text: str) -> None:
    assert meaning_of(text) == "start"


@pytest.mark.parametrize(
    "text",
    ["", "stop by tomorrow", "please don't stop", "nonstop", "yes", "거부하지 않을게요", "start stop", "?"],
)
def test_a_part_of_a_message_means_nothing(text: str) -> None:
    assert meaning_of(text) == ""
