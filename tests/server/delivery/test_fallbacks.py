"""Whether another message may go in the place of one that did not arrive: every reason, purpose and wish."""

from itertools import product

import pytest

from channels.reasons import Reason
from server.delivery.fallbacks import End, Ruling, rule, rule_all
from server.delivery.status import SkipReason, is_in_doubt

GOES, NEVER = Ruling.GOES, Ruling.FORBIDDEN
TRIED = {
    Reason.INVALID_RECIPIENT: (GOES, GOES),
    Reason.UNREACHABLE: (GOES, GOES),
    Reason.NOT_ON_CHANNEL: (GOES, GOES),
    Reason.OPTED_OUT: (Ruling.OPTED_OUT, GOES),
    Reason.NOT_PERMITTED: (GOES, GOES),
    Reason.WINDOW_CLOSED: (GOES, GOES),
    Reason.SENDER_INVALID: (GOES, GOES),
    Reason.AUTH_FAILED: (NEVER, NEVER),
    Reason.ACCOUNT_BLOCKED: (GOES, GOES),
    Reason.TEMPLATE_UNAVAILABLE: (GOES, GOES),
    Reason.TEMPLATE_MISMATCH: (GOES, GOES),
    Reason.CONTENT_INVALID: (GOES, GOES),
    Reason.CONTENT_REJECTED: (NEVER, NEVER),
    Reason.REQUEST_INVALID: (NEVER, NEVER),
    Reason.RATE_LIMITED: (NEVER, NEVER),
    Reason.QUOTA_EXCEEDED: (GOES, GOES),
    Reason.DUPLICATE: (NEVER, NEVER),
    Reason.EXPIRED: (GOES, GOES),
    Reason.PROVIDER_ERROR: (GOES, GOES),
    Reason.OUTCOME_UNKNOWN: (Ruling.IN_DOUBT, GOES),
    Reason.UNKNOWN: (NEVER, NEVER),
}
"""By reason: what is decided of information, and of information that must arrive."""
SKIPPED = {
    SkipReason.NO_ADDRESS: (GOES, GOES),
    SkipReason.OPTED_OUT: (Ruling.OPTED_OUT, GOES),
    SkipReason.INVALID_ADDRESS: (GOES, GOES),
    SkipReason.SUPPRESSED: (NEVER, NEVER),
    SkipReason.NO_CONSENT: (Ruling.OPTED_OUT, GOES),
    SkipReason.JOURNEY_STOPPED: (NEVER, NEVER),
    SkipReason.ERASED: (NEVER, NEVER),
    SkipReason.TEMPLATE_ERROR: (GOES, GOES),
    SkipReason.NO_CONNECTION: (GOES, GOES),
    SkipReason.CAPPED: (NEVER, NEVER),
    SkipReason.NO_VOUCHER: (NEVER, NEVER),
    SkipReason.NOT_MEMBER: (NEVER, NEVER),
    SkipReason.TEMPLATE_UNAVAILABLE: (GOES, GOES),
    SkipReason.CONTENT_INVALID: (GOES, GOES),
    SkipReason.ARRIVED: (NEVER, NEVER),
}


def test_the_tables_have_every_reason() -> None:
    assert set(TRIED) == set(Reason)
    assert set(SKIPPED) == set(SkipReason)


@pytest.mark.parametrize(("status", "table"), [("failed", TRIED), ("bounced", TRIED), ("skipped", SKIPPED)])
def test_what_is_decided_of_each_reason(status: str, table: dict[str, tuple[Ruling, Ruling]]) -> None:
    found = {
        reason: tuple(rule(End(status, reason), "information", must_arrive=must) for must in (False, True))
        for reason in table
    }
    assert found == table


def test_an_advertisement_goes_nowhere_else() -> None:
    for (status, table), must in product([("failed", TRIED), ("skipped", SKIPPED)], [False, True]):
        for reason in table:
            ruling = rule(End(status, reason), "advertisement", must_arrive=must)
            assert ruling is not GOES


def test_nothing_goes_while_it_is_open_or_once_it_was_taken_over() -> None:
    for status, ruling in {
        "queued": Ruling.OPEN,
        "attempted": Ruling.OPEN,
        "accepted": Ruling.ARRIVED,
        "delivered": Ruling.ARRIVED,
    }.items():
        assert rule(End(status, ""), "information", must_arrive=True) is ruling


def test_what_may_have_arrived_has_another_only_if_it_must_arrive() -> None:
    for end in (End("unknown", "outcome_unknown"), End("accepted", "", is_in_doubt=True)):
        assert rule(end, "information", must_arrive=False) is Ruling.IN_DOUBT
        assert rule(end, "information", must_arrive=True) is GOES
        assert rule(end, "advertisement", must_arrive=True) is Ruling.ADVERTISEMENT


def test_an_address_that_is_wrong_is_not_written_to_by_another_way() -> None:
    for end in (End("failed", "invalid_recipient"), End("skipped", "invalid_address")):
        ruling = rule(end, "information", must_arrive=True, has_other_address=False)
        assert ruling is Ruling.SAME_ADDRESS


def test_a_suppressed_address_counts_by_why_it_is() -> None:
    def decided(cause: str) -> Ruling:
        return rule(End("skipped", "suppressed", cause=cause), "information", must_arrive=False)

    assert decided("not_on_channel") is GOES
    assert decided("opted_out") is Ruling.OPTED_OUT
    assert decided("by hand") is NEVER


def test_without_the_consent_that_it_stands_on_it_goes_nowhere() -> None:
    end = End("skipped", "no_consent", demands="benefit_notice")
    assert rule(end, "information", must_arrive=True) is NEVER


def test_of_several_devices_all_have_to_be_lost() -> None:
    assert rule_all([GOES, GOES]) is GOES
    assert rule_all([GOES, Ruling.ARRIVED]) is Ruling.ARRIVED


def test_no_confirmation_is_a_doubt_until_something_better_is_heard() -> None:
    assert is_in_doubt({"accepted": [1, 1, 1], "unknown": [2, 2, 1]})
    assert not is_in_doubt({"unknown": [1, 1, 1], "accepted": [2, 2, 1]})
    assert not is_in_doubt({"accepted": [1, 1, 1], "unknown": [2, 2, 1], "delivered": [3, 3, 1]})
