"""SOLAPI's text messages: what its fake for Alimtalk does, with other words, and a storage for pictures."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels import Reason
from channels.testing.providers.solapi import FakeSolapi, error_of

REFUSED: Mapping[Reason, str] = {
    Reason.INVALID_RECIPIENT: "3010",
    Reason.OPTED_OUT: "1061",
    Reason.NOT_PERMITTED: "1058",
    Reason.SENDER_INVALID: "1062",
    Reason.AUTH_FAILED: "1020",
    Reason.ACCOUNT_BLOCKED: "1030",
    Reason.CONTENT_INVALID: "1031",
    Reason.CONTENT_REJECTED: "1064",
    Reason.REQUEST_INVALID: "1010",
    Reason.DUPLICATE: "1026",
    Reason.PROVIDER_ERROR: "1024",
}
FAILED: Mapping[Reason, str] = {
    Reason.INVALID_RECIPIENT: "3032",
    Reason.UNREACHABLE: "3043",
    Reason.NOT_ON_CHANNEL: "3050",
    Reason.OPTED_OUT: "3047",
    Reason.NOT_PERMITTED: "3060",
    Reason.SENDER_INVALID: "3059",
    Reason.ACCOUNT_BLOCKED: "2230",
    Reason.CONTENT_REJECTED: "3054",
    Reason.REQUEST_INVALID: "3011",
    Reason.EXPIRED: "3040",
    Reason.PROVIDER_ERROR: "3053",
    Reason.UNKNOWN: "3014",
}
_LARGEST = 200 * 1024
_MOST_BYTES = {"SMS": 90, "LMS": 2000, "MMS": 2000}


class FakeSolapiSms(FakeSolapi):
    """Measures texts in EUC-KR as the networks do, and knows its own senders and pictures."""

    refused: ClassVar[Mapping[Reason, str]] = REFUSED
    failed: ClassVar[Mapping[Reason, str]] = FAILED
    senders: ClassVar[frozenset[str]] = frozenset({"0212345678", "15881234"})

    async def answer(self, request: Request) -> Response:
        if (request.method, request.url.path) != ("POST", "/storage/v1/files"):
            return await super().answer(request)
        if error := self.who_asks(request.headers.get("authorization", "")):
            return error_of(403, error)
        return self._store(await request.json())

    def _store(self, body: dict[str, Any]) -> Response:
        try:
            picture = b64decode(body["file"], validate=True)
        except (KeyError, NotBase64):
            return error_of(400, "ValidationError")
        if body.get("type") != "MMS" or len(picture) > _LARGEST or picture[:3] != b"\xff\xd8\xff":
            return error_of(400, "ValidationError")
        file_id = "ST01FZ" + sha256(picture).hexdigest()[:26].upper()
        self.files[file_id] = picture
        said: dict[str, Any] = {"fileId": file_id, "type": "MMS", "name": "1.jpg", "originalName": "1.jpg"}
        said |= {"url": f"https://storage.example/{file_id}", "accountId": "12", "link": None}
        return JSONResponse(said)

    @property
    def files(self) -> dict[str, bytes]:
        """The pictures in its storage, by file id."""
        kept: dict[str, bytes] = self.__dict__.setdefault("_files", {})
        return kept

    def why_not(self, message: dict[str, Any]) -> str | None:
        kind, subject = str(message.get("type")), str(message.get("subject") or "")
        if kind not in _MOST_BYTES:
            return "1025"
        if message.get("from") not in self.senders:
            return "1062"
        if kind == "SMS" and subject:
            return "1013"
        try:
            text, title = str(message.get("text") or "").encode("cp949"), subject.encode("cp949")
        except UnicodeEncodeError:
            return "1029"
        if len(title) > 40:
            return "1014"
        if len(text) > _MOST_BYTES[kind]:
            return "1031"
        if kind == "MMS" and message.get("imageId") not in self.files:
            return "1034"
        return None if re.fullmatch(r"01\d{8,9}", str(message.get("to"))) else "3010"


def a_jpeg(size: int = 1000) -> bytes:
    """Something that begins and ends as a JPEG does."""
    return b"\xff\xd8\xff\xe0" + b"\0" * (size - 6) + b"\xff\xd9"
