import subprocess
import sys

import channels
from channels import BaseChannel, Callback, Reason, ReasonClass, Refused
from channels.reasons import POLICIES, Fallback, Page, Retry, Suppress
from channels.testing import FakeSettings


def test_the_public_list_is_sorted_and_can_be_imported() -> None:
    assert channels.__all__ == sorted(
        channels.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )
    assert all(hasattr(channels, name) for name in channels.__all__)
    assert "hookimpl" in channels.__all__


def test_importing_the_room_loads_no_adapter_and_nothing_heavy() -> None:
    heavy = "pydantic", "httpx", "aiosmtplib", "channels.email", "channels.testing"
    code = f"import sys, channels; print([name for name in {heavy!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_there_are_21_reasons_in_six_classes_and_each_has_a_policy() -> None:
    assert len(Reason) == 21
    assert set(POLICIES) == set(Reason)
    assert {reason.policy.reason_class for reason in Reason} == set(ReasonClass)
    assert len(ReasonClass) == 6


def test_what_may_have_arrived_is_never_tried_again_blindly() -> None:
    policy = Reason.OUTCOME_UNKNOWN.policy
    assert (policy.retry, policy.fallback) == (Retry.NEVER, Fallback.MUST_ARRIVE)


def test_only_a_wrong_address_is_suppressed_outright() -> None:
    suppressed = [reason for reason in Reason if reason.policy.suppress is Suppress.ADDRESS]
    assert suppressed == [Reason.INVALID_RECIPIENT]


def test_rejected_content_goes_nowhere_else() -> None:
    assert Reason.CONTENT_REJECTED.policy.fallback is Fallback.NEVER
    assert Reason.CONTENT_REJECTED.policy.page is Page.YES


def test_a_bare_channel_refuses_every_callback() -> None:
    channel: BaseChannel[FakeSettings] = BaseChannel()
    verdict = channel.verify(FakeSettings(), Callback("POST", "/", {}, {}, b"{}"), 0)
    assert isinstance(verdict, Refused)
