"""SOLAPI's side of the wire, the same for every kind of message that it relays: one account's messages go
out in one call, and their results come back by webhook and by asking for what changed.

SOLAPI knows no idempotency key and cannot be asked by our reference, so what is unknown is never sent again;
it echoes the reference in its results, and a message whose answer was lost finds its end that way. Its
callbacks carry the SHA-1 of a secret that we choose: that proves who calls, and does not cover the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.answers import objects, read_json, said_in
from channels.codes import CodeTable, load
from channels.contract import (
    Accepted,
    BaseChannel,
    Callback,
    Cursor,
    Deferred,
    Instant,
    Outcome,
    Problem,
    Receipt,
    ReceiptKind,
    Refused,
    Rejected,
    Tools,
    Unknown,
    Verified,
)
from channels.errors import PollFailed
from channels.http import exchange, outcome_of_status
from channels.kakao.batches import Answer
from channels.kakao.proof import is_one_of
from channels.kakao.solapi_auth import authorization, new_salt
from channels.kakao.solapi_results import DONE, PENDING, of_event, of_row, reference_of, unmapped, utc
from channels.kakao.windows import window_of
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

PAGE = 500
OBSERVES = frozenset({ReceiptKind.DELIVERED, ReceiptKind.FAILED})


class SolapiAccount(BaseModel):
    """The account at SOLAPI."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_key: SecretStr = Field(min_length=1)
    api_secret: SecretStr = Field(min_length=1)
    signing_secret: SecretStr = Field(
        SecretStr(""), description="The secret that was given to SOLAPI with the webhook. Empty: no webhook."
    )
    previous_signing_secret: SecretStr = Field(SecretStr(""), description="Still good while it is changed.")
    base_url: str = Field("https://api.solapi.com", pattern=r"^https?://")


A = TypeVar("A", bound=SolapiAccount)


class Addressed(Protocol):
    """What SOLAPI's answer is matched with."""

    @property
    def reference(self) -> str: ...

    @property
    def number(self) -> str: ...


async def submit(
    account: SolapiAccount, tools: Tools, group: Sequence[Addressed], said: Sequence[dict[str, Any]]
) -> Answer:
    """Hands messages over in one call. `said` are those of `group` in SOLAPI's words, in the same order."""
    body = {
        "messages": list(said),
        # One person may well be sent two messages at the same moment.
        "allowDuplicates": True,
        "showMessageList": True,
    }
    answer = await ask(account, tools, "POST", "/messages/v4/send-many/detail", json=body)
    if isinstance(answer, Deferred | Unknown):
        return answer
    if answer.is_success:
        return _outcomes(group, said_in(answer))
    return refusal(answer, tools.clock())


async def ask(
    account: SolapiAccount, tools: Tools, method: str, path: str, **request: Any
) -> httpx.Response | Deferred | Unknown:
    """One request to SOLAPI, signed. `request` is what `httpx.AsyncClient.request` takes."""
    key, secret = account.api_key.get_secret_value(), account.api_secret.get_secret_value()
    headers = {"authorization": authorization(key, secret, tools.clock(), new_salt())}
    return await exchange(tools, method, account.base_url.rstrip("/") + path, headers=headers, **request)


def refusal(answer: httpx.Response, now: Instant) -> Outcome:
    """What an answer that is no success says of everything in the request."""
    said = said_in(answer)
    code, text = str(said.get("errorCode") or ""), str(said.get("errorMessage") or "")
    if answer.status_code >= 500 or not codes().knows(code):
        return outcome_of_status(answer, now, code=code, text=text)
    if codes().reason(code) is Reason.RATE_LIMITED:
        return Deferred(now, Reason.RATE_LIMITED, code, text)
    return Rejected(codes().reason(code), code, text)


def codes() -> CodeTable:
    """SOLAPI's codes: of the API, of messages and of the networks behind it."""
    return load("channels.kakao", "solapi_codes.csv")


def _outcomes(group: Sequence[Addressed], answer: dict[str, Any]) -> Answer:
    """What became of each, found by our reference; a number names it where SOLAPI left the reference out."""
    left = [*objects(answer.get("failedMessageList")), *objects(answer.get("messageList"))]
    outcomes: list[Outcome] = []
    for message in group:
        one = next((one for one in left if reference_of(one) == message.reference), None)
        one = one or next(
            (one for one in left if not reference_of(one) and one.get("to") == message.number), None
        )
        if one is None:
            outcomes.append(Unknown(text="SOLAPI's answer says nothing of this message."))
            continue
        left.remove(one)
        outcomes.append(_outcome(one))
    return outcomes


def _outcome(one: dict[str, Any]) -> Outcome:
    code, text = str(one.get("statusCode", "")), str(one.get("statusMessage", ""))
    if code in PENDING or code == DONE:
        return Accepted(str(one["messageId"]), code, text) if one.get("messageId") else Unknown(text=text)
    return Rejected(codes().reason(code), code, text)


class SolapiRelay(BaseChannel[A]):
    """The half of a channel through SOLAPI that does not know what kind of message it is."""

    message_types: ClassVar[tuple[str, ...]]
    """SOLAPI's own names of the kinds that the channel sends. Results of other kinds are not its own."""

    def reason_of(self, code: str) -> Reason | None:
        return codes().listed(code)

    async def probe(self, settings: A, tools: Tools) -> list[Problem]:
        answer = await ask(settings, tools, "GET", "/messages/v4/list", params={"limit": 1})
        if isinstance(answer, Deferred | Unknown):
            return [Problem("base_url", f"SOLAPI cannot be reached: {answer.text}")]
        if answer.status_code == 200:
            return []
        said = said_in(answer)
        return [
            Problem("api_key", f"SOLAPI refuses: {said.get('errorCode')} {said.get('errorMessage')}"[:500])
        ]

    def verify(self, settings: A, callback: Callback, now: Instant) -> Verified | Refused:
        secrets = (settings.signing_secret, settings.previous_signing_secret)
        known = [one.get_secret_value().encode() for one in secrets if one.get_secret_value()]
        expected = [sha1(one).hexdigest() for one in known]
        if is_one_of(callback.headers.get("x-solapi-secret", "").strip().lower(), expected):
            return Verified(callback, now)
        return Refused("x-solapi-secret is missing or wrong" if expected else "signing_secret is not set")

    def parse(self, settings: A, verified: Verified) -> list[Receipt]:
        body = verified.callback.body.decode("utf-8", "replace")
        events = read_json(body)
        if not isinstance(events, list):
            return [unmapped(body, verified.received_at)]
        return [one for event in events if (one := of_event(event, verified.received_at))]

    async def poll(self, settings: A, tools: Tools, cursor: Cursor) -> tuple[list[Receipt], Cursor]:
        window = window_of(cursor, tools.clock())
        if window is None:
            return [], cursor
        asked = {
            "dateType": "UPDATED",
            "startDate": utc(window.start_at),
            "endDate": utc(window.end_at),
            "limit": PAGE,
        }
        if len(self.message_types) == 1:
            asked["type"] = self.message_types[0]
        if window.page:
            asked["startKey"] = window.page
        answer = await ask(settings, tools, "GET", "/messages/v4/list", params=asked)
        if isinstance(answer, Deferred | Unknown):
            raise PollFailed(f"SOLAPI cannot be asked: {answer.text}")
        said = said_in(answer)
        if answer.status_code != 200 or not isinstance(said.get("messageList"), dict):
            raise PollFailed(f"SOLAPI answered {answer.status_code} {said.get('errorCode') or ''}".rstrip())
        rows = [row for row in objects(list(said["messageList"].values())) if self._is_own(row)]
        receipts = [one for row in rows if (one := of_row(row, tools.clock()))]
        return receipts, window.onward(str(said.get("nextKey") or ""))

    def _is_own(self, row: dict[str, Any]) -> bool:
        return not row.get("type") or row["type"] in self.message_types
