"""What SOLAPI refuses at its desk: the reason, and the field of the template that is meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from channels.alimtalk.desk import DeskError
from channels.answers import read_json, words
from channels.contract import Accepted, Deferred, Tools, Unknown
from channels.http import outcome_of_status
from channels.kakao.solapi_relay import SolapiAccount, ask, codes
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

_FIELDS = {
    "name": "name", "content": "body", "categoryCode": "category", "messageType": "message_type",
    "emphasizeType": "emphasis", "extra": "extra", "emphasizeTitle": "title", "header": "header",
    "emphasizeSubtitle": "subtitle", "highlight": "highlight", "item": "items", "imageId": "image",
    "buttons": "buttons", "quickReplies": "quick_replies", "securityFlag": "is_secure", "file": "image",
    "searchId": "search_id", "phoneNumber": "phone", "token": "token", "comment": "comment",
}  # fmt: skip
_BESIDE = ("search_id", "phone", "token", "comment")
"""Fields that are none of a template's."""
_WORD = re.compile(r"[A-Za-z]+")


async def demand(
    account: SolapiAccount, tools: Tools, method: str, path: str, *, may_lack: bool = False, **request: Any
) -> Any:
    """SOLAPI's answer, an object or a list, if it is a good one. Raises DeskError for any other; None if
    there is no such thing and `may_lack`."""
    answer = await ask(account, tools, method, path, **request)
    if isinstance(answer, Deferred | Unknown):
        raise DeskError(answer.reason, answer.code, answer.text)
    said = read_json(answer.content)
    if answer.is_success and isinstance(said, dict | list):
        return said
    if answer.is_success:
        raise DeskError(Reason.PROVIDER_ERROR, str(answer.status_code), "SOLAPI's answer cannot be read.")
    if answer.status_code == 404 and may_lack:
        return None
    raise _error(answer, said if isinstance(said, dict) else {}, tools)


def _error(answer: httpx.Response, told: dict[str, Any], tools: Tools) -> DeskError:
    code, text = words(told.get("errorCode")), words(told.get("errorMessage"))
    outcome = outcome_of_status(answer, tools.clock(), code=code, text=text)
    reason = Reason.PROVIDER_ERROR if isinstance(outcome, Accepted) else outcome.reason
    if answer.status_code < 500 and codes().knows(code):
        reason = codes().reason(code)
    path = path_of(text)
    if reason is Reason.REQUEST_INVALID and path and path not in _BESIDE:
        reason = Reason.CONTENT_INVALID
    return DeskError(reason, outcome.code, (text or outcome.text)[:500], path)


def path_of(text: str) -> str:
    """The field that is meant, by its first name in SOLAPI's text that is one."""
    return next((_FIELDS[word] for word in _WORD.findall(text) if word in _FIELDS), "")


def not_offered(what: str) -> DeskError:
    """Of what SOLAPI's API has no way to do."""
    return DeskError(Reason.NOT_PERMITTED, text=f"SOLAPI's API cannot {what}.")
