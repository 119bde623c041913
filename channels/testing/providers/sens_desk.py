"""What SENS shows of channels and templates. They are made in Naver Cloud's console, which whoever uses the
fake plays: `register`, `request`, and the reviewer's `approve` and `reject`."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any

from channels.contract import Instant

_KOREA = timezone(timedelta(hours=9))
_VARIABLE = re.compile(r"#\{[^{}]*\}")
_LENGTHS = {"templateCode": 20, "templateName": 150, "content": 1000, "headerContent": 16}
Reviewer = Callable[[dict[str, Any]], str]
"""Why a template is rejected; empty if it is approved."""


class RefusedByConsole(Exception):
    """The console would not save it, and says which field is wrong."""


class SensDeskOf:
    """The channels of one service, and the templates of one channel, as SENS shows them."""

    def __init__(self, clock: Callable[[], Instant], service_id: str, channel_id: str) -> None:
        self._clock, self._channel_id = clock, channel_id
        self._numbers = count(1)
        self._asked: dict[str, Instant] = {}
        self.channel: dict[str, Any] = {
            "createTime": "2025-01-02T09:00:00.000",
            "updateTime": "2025-01-02T09:00:00.000",
            "serviceId": service_id,
            "channelId": channel_id,
            "channelName": channel_id.lstrip("@"),
            "channelStatus": "ACTIVE",
            "useSmsFailover": False,
            "isBlock": False,
            "isDormant": False,
        }
        self.templates: dict[str, dict[str, Any]] = {}
        self.reviewer: Reviewer = lambda row: ""
        self.review_after: int | None = None
        """How long a review takes, in milliseconds; None: until somebody reviews by hand."""

    def answer(self, what: str, query: dict[str, str]) -> Any:
        self.review_what_is_due()
        if what == "/channels":
            return [self.channel]
        rows = [row for row in self.templates.values() if row["channelId"] == query.get("channelId")]
        if "templateCode" in query:
            return [row for row in rows if row["templateCode"] == query["templateCode"]]
        size, page = int(query.get("pageSize", 100)), int(query.get("pageIndex", 0))
        # Only who asks for one template is told its comments.
        shown = [{name: row[name] for name in row if name != "comments"} for row in rows]
        return shown[page * size : (page + 1) * size]

    def is_sendable(self, code: str) -> bool:
        row = self.templates[code]
        is_free = not (row["isBlock"] or row["isDormant"] or self.channel["isBlock"])
        is_in_use = row["templateStatus"] in ("READY", "ACTIVE")
        return row["templateInspectionStatus"] == "COMPLETE" and is_in_use and is_free

    # The console

    def register(self, said: dict[str, Any]) -> dict[str, Any]:
        """Saves a template as a draft. Raises RefusedByConsole."""
        self._check(said)
        now = _text(self._clock())
        row = {"messageType": "BA", "emphasizeType": "NONE", "securityFlag": False, **said}
        row |= {"channelId": self._channel_id, "createTime": now, "updateTime": now, "comments": []}
        row |= {"templateInspectionStatus": "REGISTER", "templateStatus": "READY"}
        row |= {"isBlock": False, "isDormant": False}
        self.templates[said["templateCode"]] = row
        return row

    def _check(self, said: dict[str, Any]) -> None:
        for name in ("templateCode", "templateName", "content"):
            if not str(said.get(name) or "").strip():
                raise RefusedByConsole(f"{name} is missing")
        for name, longest in _LENGTHS.items():
            if len(_VARIABLE.sub("", str(said.get(name) or ""))) > longest:
                raise RefusedByConsole(f"{name} is longer than {longest}")
        if said["templateCode"] in self.templates:
            raise RefusedByConsole("templateCode is taken")
        if any(_VARIABLE.search(one.get("name") or "") for one in said.get("buttons") or []):
            raise RefusedByConsole("buttons have names without variables")
        if said.get("quickReplies") or said.get("representLink"):
            raise RefusedByConsole("quickReplies and representLink cannot be sent by API")

    def request(self, code: str) -> None:
        self._change(code, templateInspectionStatus="INSPECT")
        self._asked[code] = self._clock()

    def approve(self, code: str, text: str = "승인되었습니다.") -> None:
        self._say(code, "APPROVE", text)
        self._change(code, templateInspectionStatus="COMPLETE", templateStatus="ACTIVE")

    def reject(self, code: str, why: str) -> None:
        self._say(code, "REJECT", why)
        self._change(code, templateInspectionStatus="REJECT")

    def stop(self, code: str) -> None:
        self._change(code, templateStatus="STOP")

    def reuse(self, code: str) -> None:
        self._change(code, templateStatus="ACTIVE")

    def review_what_is_due(self) -> None:
        """Lets `reviewer` judge everything that has waited for `review_after`."""
        if self.review_after is None:
            return
        for code, row in self.templates.items():
            is_due = self._clock() - self._asked.get(code, self._clock()) >= self.review_after
            if row["templateInspectionStatus"] == "INSPECT" and is_due:
                why = self.reviewer(row)
                self.reject(code, why) if why else self.approve(code)

    def _change(self, code: str, **changes: Any) -> None:
        self.templates[code].update(changes, updateTime=_text(self._clock()))

    def _say(self, code: str, status: str, text: str) -> None:
        said = {"commentId": next(self._numbers), "content": text, "status": status}
        self.templates[code]["comments"].append({**said, "createTime": _text(self._clock())})


def _text(at: Instant) -> str:
    return datetime.fromtimestamp(at / 1000, _KOREA).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}"
