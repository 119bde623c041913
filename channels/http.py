"""Speaking HTTP to a provider: what went wrong on the way, and what an answer means for a message.

The one question that matters is whether the provider can have taken the message over. Nothing has left when
the connection could not be made; after that, silence is `Unknown`.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from channels.contract import Deferred, Instant, Outcome, Rejected, Tools, Unknown
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

LONGEST_TEXT = 500
_SECOND = 1000
_UNWRITABLE = (
    "the request cannot be written: something in its address, headers or body is no character for there; "
    "look for line ends and blanks around secrets"
)


async def exchange(
    tools: Tools, method: str, url: str, *, http: httpx.AsyncClient | None = None, **request: Any
) -> httpx.Response | Deferred | Unknown:
    """The provider's answer, whatever its status; or the outcome for a message when there is none.

    `request` is what `httpx.AsyncClient.request` takes. Uses `tools.http` unless told otherwise.
    """
    import httpx

    try:
        return await (http or tools.http).request(method, url, **request)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
        return Deferred(tools.clock(), Reason.PROVIDER_ERROR, text=told(error))
    except UnicodeError:
        return Deferred(tools.clock(), Reason.REQUEST_INVALID, text=_UNWRITABLE)
    except (httpx.InvalidURL, httpx.LocalProtocolError) as error:
        # Of a header it quotes the value, which may be a secret.
        text = _UNWRITABLE if "header" in str(error).lower() else told(error)
        return Deferred(tools.clock(), Reason.REQUEST_INVALID, text=text)
    except httpx.HTTPError as error:
        return Unknown(text=told(error))


def outcome_of_status(response: httpx.Response, now: Instant, *, code: str = "", text: str = "") -> Outcome:
    """What a status that is no success says of a message, where the body does not say it better.

    An answer that a gateway gave in the provider's place (502, 504) proves nothing: `Unknown`.
    """
    status = response.status_code
    code, text = code or str(status), text or response.text[:LONGEST_TEXT]
    if status == 429:
        return Deferred(retry_after(response, now), Reason.RATE_LIMITED, code, text)
    if status in (502, 504, 524):
        return Unknown(code=code, text=text)
    if status >= 500 or status in (408, 425):
        return Deferred(retry_after(response, now), Reason.PROVIDER_ERROR, code, text)
    return Rejected(_REASONS.get(status, Reason.REQUEST_INVALID), code, text)


_REASONS = {
    401: Reason.AUTH_FAILED,
    402: Reason.ACCOUNT_BLOCKED,
    403: Reason.AUTH_FAILED,
    407: Reason.AUTH_FAILED,
    413: Reason.CONTENT_INVALID,
    451: Reason.CONTENT_REJECTED,
}


def retry_after(response: httpx.Response, now: Instant, default_seconds: float = 0) -> Instant:
    """When the provider wants to be asked again: the header Retry-After in seconds or as a date."""
    given = response.headers.get("retry-after", "").strip()
    if given.isascii() and given.isdecimal() and len(given) < 9:
        return now + int(given) * _SECOND
    try:
        return max(now, int(parsedate_to_datetime(given).timestamp() * _SECOND))
    except (ValueError, TypeError):
        return now + int(default_seconds * _SECOND)


def told(error: Exception) -> str:
    """An error in words, also when it has none of its own."""
    return str(error)[:LONGEST_TEXT] or type(error).__name__
