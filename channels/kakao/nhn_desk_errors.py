"""What NHN Cloud refuses at its desk: the reason, and the field of the template that is meant."""

from __future__ import annotations

import re
from typing import Any

from channels.alimtalk.desk import DeskError
from channels.answers import said_in
from channels.contract import Accepted, Deferred, Tools, Unknown
from channels.http import outcome_of_status
from channels.kakao.nhn_account import NhnAccount, ask, code_of
from channels.kakao.nhn_results import reason_of
from channels.reasons import Reason

PATHS = {
    "-2018": "buttons", "-2019": "body", "-2032": "title", "-2033": "items", "-2034": "highlight",
    "-2035": "header", "-2036": "link", "-2037": "body", "-2504": "quick_replies", "-2505": "buttons",
    "-3000": "buttons", "-3001": "name", "-3006": "buttons", "-3007": "buttons", "-3008": "buttons",
    "-3009": "buttons", "-3016": "subtitle", "-3017": "subtitle", "-3018": "extra", "-3020": "extra",
    "-3021": "extra", "-3024": "buttons", "-3025": "buttons", "-3026": "buttons", "-3027": "title",
    "-3028": "extra", "-3030": "extra", "-3032": "image", "-3035": "items", "-3036": "is_secure",
    "-3037": "items", "-3038": "summary", "-3039": "summary", "-3040": "highlight", "-3041": "image",
    "-3044": "buttons", "-3045": "buttons", "-3047": "title", "-3050": "buttons", "-3051": "buttons",
    "-3052": "buttons", "-3053": "buttons", "-3101": "quick_replies", "-3102": "quick_replies",
    "-3103": "buttons", "-4007": "attachments", "-4009": "attachments", "-4021": "attachments",
    "-4027": "buttons", "-8001": "image", "-8002": "image",
}  # fmt: skip
"""The field of `Template` by NHN's code, where the code tells it."""
_FIELDS = {
    "templateCode": "code", "templateName": "name", "templateContent": "body", "templateTitle": "title",
    "templateSubtitle": "subtitle", "templateExtra": "extra", "templateHeader": "header",
    "templateItem": "items", "templateItemHighlight": "highlight", "templateRepresentLink": "link",
    "templateImageName": "image", "templateImageUrl": "image", "categoryCode": "category",
    "buttons": "buttons", "quickReplies": "quick_replies", "comment": "comment", "phoneNo": "phone",
    "plusFriendId": "search_id", "token": "token",
}  # fmt: skip
_NAMED = re.compile(r"'([A-Za-z]+)")


async def demand(account: NhnAccount, tools: Tools, method: str, path: str, **request: Any) -> dict[str, Any]:
    """NHN's answer, if it is a good one. Raises DeskError for any other."""
    answer = await ask(account, tools, method, path, **request)
    if isinstance(answer, Deferred | Unknown):
        raise DeskError(answer.reason, answer.code, answer.text)
    said = said_in(answer)
    code, text = code_of(said)
    if code == "0":
        return said
    if code:
        raise DeskError(reason_of(code), code, text, path_of(code, text))
    outcome = outcome_of_status(answer, tools.clock())
    reason = Reason.PROVIDER_ERROR if isinstance(outcome, Accepted) else outcome.reason
    raise DeskError(Reason.PROVIDER_ERROR if answer.is_success else reason, outcome.code, answer.text[:500])


def path_of(code: str, text: str) -> str:
    """The field that is meant: by the code, or by the name that NHN puts into its text."""
    if code in PATHS:
        return PATHS[code]
    named = (_FIELDS.get(name) for name in _NAMED.findall(text))
    return next(filter(None, named), "")


def not_offered(what: str) -> DeskError:
    """Of what NHN's API has no way to do."""
    return DeskError(Reason.NOT_PERMITTED, text=f"NHN Cloud's API cannot {what}.")
