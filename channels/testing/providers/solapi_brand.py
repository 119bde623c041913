"""SOLAPI with Brand Messages beside Alimtalk."""

import json
import re
from base64 import b64decode
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.testing.providers.pictures import size_of
from channels.testing.providers.solapi import FakeSolapi, error_of

_KOREA = timezone(timedelta(hours=9))
_NEEDS = {
    "TEXT": (),
    "IMAGE": ("imageId",),
    "WIDE": ("imageId",),
    "WIDE_ITEM_LIST": ("header", "mainWideItem", "subWideItemList"),
    "COMMERCE": ("imageId", "commerce", "buttons"),
    "CAROUSEL_FEED": ("carousel",),
    "CAROUSEL_COMMERCE": ("carousel",),
}


class FakeSolapiBrand(FakeSolapi):
    """Takes Brand Messages to friends; to others once that was granted."""

    is_granted: bool = False
    """Whether the channel may target M and N."""

    @cached_property
    def pictures(self) -> dict[str, str]:
        """The pictures in its storage: file ids, and what each is for."""
        return {}

    async def answer(self, request: Request) -> Response:
        if (request.method, request.url.path) != ("POST", "/storage/v1/files"):
            return await super().answer(request)
        if error := self.who_asks(request.headers.get("authorization", "")):
            return error_of(403, error)
        said = json.loads(await request.body())
        if not str(said.get("type")).startswith("BMS") or size_of(b64decode(said.get("file") or "")) is None:
            return error_of(400, "ValidationError")
        self.pictures[f"ST01FZ{len(self.pictures) + 1}"] = said["type"]
        return JSONResponse({"fileId": list(self.pictures)[-1], "type": said["type"]})

    def why_not(self, message: dict[str, Any]) -> str | None:
        if not str(message.get("type")).startswith("BMS_"):
            return super().why_not(message)
        kakao = message.get("kakaoOptions") or {}
        if not kakao.get("pfId"):
            return "1041"
        if not re.fullmatch(r"01\d{8,9}", str(message.get("to"))):
            return "3010"
        now = datetime.fromtimestamp(self.clock() / 1000, _KOREA)
        if not 8 <= now.hour < 20:
            return "3108"
        bubble = kakao.get("bms") or {}
        if bubble.get("targeting") not in ("I", "M", "N") or kakao.get("disableSms") is not True:
            return "1010"
        if bubble["targeting"] != "I" and not self.is_granted:
            return "3102"
        return None if kakao.get("templateId") else _wrong(message, bubble)


def _wrong(message: dict[str, Any], bubble: dict[str, Any]) -> str | None:
    kind = bubble.get("chatBubbleType")
    if message["type"] != "BMS_FREE" or kind not in _NEEDS:
        return "1011"
    if any(not bubble.get(name) for name in _NEEDS[kind]):
        return "1010"
    text = message.get("text") or ""
    if kind in ("TEXT", "IMAGE", "WIDE") and not 0 < len(text) <= (76 if kind == "WIDE" else 1300):
        return "1031"
    return None
