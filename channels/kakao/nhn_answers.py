"""What NHN Cloud's answer to a request to send says of each message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from channels.answers import an_object, objects, said_in
from channels.contract import Accepted, Deferred, Instant, Outcome, Rejected, Unknown
from channels.http import outcome_of_status
from channels.kakao.batches import Answer
from channels.kakao.nhn_account import code_of
from channels.kakao.nhn_results import provider_id_of, reason_of
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx


class Referred(Protocol):
    """A message that NHN's answer is matched with."""

    @property
    def reference(self) -> str: ...


M = TypeVar("M", bound=Referred)


def outcomes_of(group: Sequence[M], answer: httpx.Response, now: Instant) -> Answer:
    """One outcome each, or one for all where the answer speaks of the whole request."""
    said = said_in(answer)
    message = an_object(said.get("message"))
    if results := objects(message.get("sendResults")):
        return _each(group, results, str(message.get("requestId") or ""))
    return refusal(answer, now)


def refusal(answer: httpx.Response, now: Instant) -> Outcome:
    """What an answer that took nothing over says of everything in the request."""
    said = said_in(answer)
    if not answer.is_success:
        return outcome_of_status(answer, now, text=code_of(said)[1])
    return _refusal(said, now)


def _each(group: Sequence[M], results: list[dict[str, Any]], request_id: str) -> Answer:
    """Found by our reference; by its place where NHN left the reference out."""
    by_reference = {result.get("recipientGroupingKey"): result for result in results}
    by_place = results if len(results) == len(group) else [{}] * len(group)
    return [
        _outcome(by_reference.get(one.reference, result), request_id)
        for one, result in zip(group, by_place, strict=True)
    ]


def _outcome(result: dict[str, Any], request_id: str) -> Outcome:
    if "resultCode" not in result:
        return Unknown(text="NHN's answer says nothing of this message.")
    code, text = str(result["resultCode"]), str(result.get("resultMessage") or "")
    if code == "0" and not request_id:
        return Unknown(code=code, text="NHN took it and did not say under which id.")
    if code == "0":
        return Accepted(provider_id_of({"requestId": request_id, **result}), code, text)
    return Rejected(reason_of(code), code, text)


def _refusal(said: dict[str, Any], now: Instant) -> Outcome:
    code, text = code_of(said)
    if code in ("", "0"):
        return Unknown(code=code, text="NHN's answer says nothing of these messages.")
    if reason_of(code) is Reason.PROVIDER_ERROR:
        return Deferred(now, Reason.PROVIDER_ERROR, code, text)
    return Rejected(reason_of(code), code, text)
