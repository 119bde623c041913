"""The words of the API are those of the rooms below it; nothing that is stored lacks a word."""

from enum import Enum, StrEnum

import pytest

from channels import contract, reasons
from server.aggregates import metrics
from server.delivery import status as delivery
from server.engine.entering import RefusedEntry
from server.journey import moment, reentry, status
from server.journey.conditions import OPERATORS
from server.journey.steps import sending_rules as rules
from server.schema import figure_words, sending_rules, words


@pytest.mark.parametrize(
    ("ours", "below"),
    [
        (words.JourneyStatus, status.JourneyStatus),
        (words.JourneyAction, status.JourneyAction),
        (words.EndReason, moment.EndReason),
        (words.Reentry, reentry.Again),
        (words.ReentrySince, reentry.Since),
        (words.ReceiptKind, contract.ReceiptKind),
        (words.Actor, contract.Actor),
        (words.DeliveryStatus, delivery.DeliveryStatus),
        (words.FailureReason, reasons.Reason),
        (words.FailureReason, delivery.SkipReason),
        (sending_rules.EndpointChoice, rules.SendTo),
        (sending_rules.CapRule, rules.CapRule),
        (figure_words.Metric, metrics.Metric),
    ],
)
def test_every_word_that_is_stored_has_one_in_the_api(ours: type[Enum], below: type[StrEnum]) -> None:
    assert {word.value for word in below} <= {word.value for word in ours}


def test_every_operator_and_every_refusal_has_its_word() -> None:
    assert set(OPERATORS) == {word.value for word in words.Operator}
    refused = {value for name, value in vars(RefusedEntry).items() if name.isupper()}
    assert refused <= {word.value for word in words.RefusedEntry}


def test_a_word_that_a_later_server_wrote_is_told_as_unknown() -> None:
    found = words.word(words.FailureReason, "moon_phase", words.FailureReason.UNKNOWN)
    assert found is words.FailureReason.UNKNOWN
