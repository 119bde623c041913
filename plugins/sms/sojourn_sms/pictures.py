"""Pictures for MMS: fetched from where a message says, handed to SOLAPI once, and known by its file id.

Nothing of a message has left while its picture is under way, so silence here is `Deferred`.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from channels import Deferred, Instant, Outcome, Reason, Rejected, Tools, Unknown
from channels.answers import said_in
from channels.http import told
from channels.kakao.solapi_relay import SolapiAccount, ask, refusal

if TYPE_CHECKING:
    import httpx

LARGEST_BYTES = 200 * 1024
REMEMBERED = 1000
REMEMBERED_FOR = 24 * 3600 * 1000
"""Milliseconds. The picture behind an address may change."""
_JPEG = b"\xff\xd8\xff"
_NO_ADDRESS = Rejected(Reason.CONTENT_INVALID, text="image_url is no address: https://… is wanted.")


class Pictures:
    """The pictures that one connection has handed to SOLAPI."""

    def __init__(self, account: SolapiAccount, tools: Tools) -> None:
        self._account, self._tools = account, tools
        self._known: OrderedDict[str, tuple[str, Instant]] = OrderedDict()
        self._under_way: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def file_ids(self, urls: Iterable[str]) -> dict[str, str | Outcome]:
        """SOLAPI's name of each picture, or how a message that wants it ends."""
        wanted = list(urls)
        return dict(zip(wanted, await asyncio.gather(*map(self._file_id, wanted)), strict=True))

    def forget(self, url: str) -> None:
        """SOLAPI no longer has this one."""
        self._known.pop(url, None)

    async def _file_id(self, url: str) -> str | Outcome:
        lock = self._under_way.setdefault(url, asyncio.Lock())
        async with lock:
            known, until = self._known.get(url, ("", 0))
            if known and self._tools.clock() < until:
                return known
            picture = await self._fetch(url)
            found = await self._hand_over(picture) if isinstance(picture, bytes) else picture
            if isinstance(found, str):
                self._known[url] = (found, self._tools.clock() + REMEMBERED_FOR)
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            return found

    async def _fetch(self, url: str) -> bytes | Outcome:
        import httpx

        if not url.startswith(("https://", "http://")):
            return _NO_ADDRESS
        try:
            async with self._tools.outside.stream("GET", url) as answer:
                return await self._read(answer)
        except (httpx.InvalidURL, UnicodeError):
            return _NO_ADDRESS
        except httpx.HTTPError as error:
            return self._later(f"The picture cannot be fetched: {told(error)}")

    async def _read(self, answer: httpx.Response) -> bytes | Outcome:
        if answer.status_code >= 500 or answer.status_code in (408, 425, 429):
            return self._later(f"The picture's server answers {answer.status_code}.")
        if answer.status_code != 200:
            return Rejected(Reason.CONTENT_INVALID, text=f"image_url answers {answer.status_code}.")
        picture = b""
        async for part in answer.aiter_bytes():
            picture += part
            if len(picture) > LARGEST_BYTES:
                return Rejected(Reason.CONTENT_INVALID, text="The picture is larger than 200 KB.")
        if not picture.startswith(_JPEG):
            return Rejected(Reason.CONTENT_INVALID, text="The picture is no JPEG; MMS takes no other.")
        return picture

    async def _hand_over(self, picture: bytes) -> str | Outcome:
        body = {"file": b64encode(picture).decode(), "type": "MMS"}
        answer = await ask(self._account, self._tools, "POST", "/storage/v1/files", json=body)
        if isinstance(answer, Deferred | Unknown):
            return self._later(f"SOLAPI does not take the picture: {answer.text}")
        if not answer.is_success:
            return self._refused(refusal(answer, self._tools.clock()))
        file_id = said_in(answer).get("fileId")
        return file_id if isinstance(file_id, str) and file_id else self._later("SOLAPI names no file.")

    def _refused(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Unknown):
            return self._later(f"SOLAPI does not take the picture: {outcome.text}")
        if isinstance(outcome, Rejected) and outcome.reason is Reason.REQUEST_INVALID:
            # The request is always the same but for the picture, so that is what it does not like.
            return replace(outcome, reason=Reason.CONTENT_INVALID)
        return outcome

    def _later(self, text: str) -> Deferred:
        return Deferred(self._tools.clock(), Reason.PROVIDER_ERROR, text=text)
