"""NHN Cloud's review desk: profiles that prove themselves by a token, templates and their reviews, pictures.

Reviews are held by whoever plays the reviewer: by hand (`take_up`, `approve`, `reject`), or by `reviewer`
once `review_after` has passed. What changes is told by `news()` as NHN's webhook tells it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from channels.contract import Callback, Instant
from channels.testing.providers import nhn_template_rules as rules
from channels.testing.providers.nhn_profiles import NhnProfilesOf, files_in, page_of
from channels.testing.providers.nhn_words import CATEGORIES, Said, clock_time, no, row_of, yes

_DAY = 24 * 3_600_000
_ATTACHED = (".png", ".jpg", ".jpeg", ".gif", ".pdf", ".hwp", ".doc", ".docx")
_MEGABYTE = 1024 * 1024
REQUESTED, IN_REVIEW, APPROVED, REJECTED = "TSC01", "TSC02", "TSC03", "TSC04"

Reviewer = Callable[[dict[str, Any]], str]
"""Why a template is rejected; empty if it is approved."""


@dataclass
class Standing:
    """A template, or an edit of one, and how it stands."""

    said: dict[str, Any]
    at: Instant
    status: str = REQUESTED
    comments: list[dict[str, Any]] = field(default_factory=list)
    is_blocked: bool = False
    is_dormant: bool = False
    sent_at: Instant | None = None
    changed_at: Instant | None = None
    edits: list["Standing"] = field(default_factory=list)
    """Of an approved one, in their order; the last may still be at review."""

    @property
    def at_review(self) -> "Standing":
        """What the reviewer looks at: the last edit, or the template itself."""
        return self.edits[-1] if self.edits and self.edits[-1].status != APPROVED else self


class NhnDeskOf(NhnProfilesOf):
    """The desk of one app."""

    def __init__(self, clock: Callable[[], Instant], app_key: str, signing_secret: str) -> None:
        super().__init__(clock)
        self._app_key, self._signing_secret = app_key, signing_secret
        self.templates: dict[tuple[str, str], Standing] = {}
        self.reviewer: Reviewer = lambda said: ""
        self.review_after: int | None = None
        """How long a review takes, in milliseconds; None: until somebody reviews by hand."""
        self._hooks: list[dict[str, Any]] = []

    def answer(self, method: str, path: str, query: dict[str, str], kind: str, body: bytes) -> Said | None:
        """The answer to a request at the desk; None for what is none of its business."""
        self.review_what_is_due()
        parts = [unquote(part) for part in path.split("/")]
        if parts[0] == "senders" and parts[2:3] == ["templates"]:
            if parts[1] not in self.profiles:
                return no(-2017, "Not exist plus friend.")
            return self._about_templates(method, parts, query, kind, body)
        if parts[0] in ("senders", "sender", "sender-groups"):
            return self.about_profiles(method, parts, query, body)
        if path == "template/categories":
            return yes(categories=CATEGORIES)
        if method == "POST" and parts[0] == "template-image":
            return self.picture(parts[1:] == ["item-highlight"], files_in(kind, body))
        return None

    # Templates

    def _about_templates(
        self, method: str, parts: list[str], query: dict[str, str], kind: str, body: bytes
    ) -> Said:
        key = parts[1]
        if len(parts) == 3:
            return self._register(key, json.loads(body)) if method == "POST" else self._list(key, query)
        one = self.templates.get((key, parts[3]))
        if one is None:
            return no(-3003, "Template does not exist.")
        below = parts[4] if len(parts) > 4 else ""
        if method == "GET" and below == "modifications":
            rows = [self._row(key, edit, activated=edit is one.edits[-1]) for edit in self._edits(one)]
            return yes(templateModificationsResponse={"templates": rows, "totalCount": len(rows)})
        if method == "GET":
            flags = {"block": one.is_blocked, "dormant": one.is_dormant}
            return yes(templates={**self._row(key, one), **flags})
        if method == "PUT":
            return self._add_channel(one) if below == "convert-add-channel" else self._edit(one, body)
        if method == "DELETE":
            return self._delete((key, parts[3]), one)
        if below == "comments":
            return self._comment(one, json.loads(body).get("comment"), [])
        files = files_in(kind, body)
        return self._comment(one, files.pop(("comment", ""), b"").decode(), list(files.items()))

    def _register(self, key: str, said: dict[str, Any]) -> Said:
        if found := rules.refused(said):
            return no(*found)
        if self.profiles[key]["block"]:
            return no(-1027, "The sender is blocked status.")
        names = {one.said["templateName"] for (owner, _), one in self.templates.items() if owner == key}
        if (key, said["templateCode"]) in self.templates or said["templateName"] in names:
            return no(-3001, "Already exist templateCode or templateName.")
        self.templates[key, said["templateCode"]] = Standing(said, self._clock())
        return yes()

    def _list(self, key: str, query: dict[str, str]) -> Said:
        there = [one for (owner, _), one in self.templates.items() if owner == key]
        wanted = [one for one in there if query.get("templateStatus") in (None, one.status)]
        rows = page_of([self._row(key, one) for one in wanted], query)
        return yes(templateListResponse={"templates": rows, "totalCount": len(wanted)})

    def _edit(self, one: Standing, body: bytes) -> Said:
        said = {"templateCode": one.said["templateCode"], **json.loads(body)}
        if one.at_review is not one and one.at_review.status in (REQUESTED, IN_REVIEW):
            return no(-3013, "There are templates already being modified.")
        if one.status not in (APPROVED, REJECTED):
            return no(-3012, "Only templates with TSC03(APPROVE)/TSC04(REJECT) can be modified.")
        if found := rules.refused(said):
            return no(*found)
        if one.status == REJECTED:
            one.said, one.status, one.at = said, REQUESTED, self._clock()
        else:
            one.edits.append(Standing(said, self._clock()))
        return yes()

    def _add_channel(self, one: Standing) -> Said:
        if one.status != APPROVED or one.is_dormant:
            return no(-4028, "Conversion to AD/MI type failed. The template must be approved.")
        buttons = one.said.get("buttons") or []
        if len(buttons) >= (2 if one.said.get("quickReplies") else 5):
            return no(-4027, "Conversion to AD/MI type failed. The 'buttons' are too many.")
        first = {"ordering": 1, "type": "AC", "name": "채널 추가"}
        rest = [{**button, "ordering": place} for place, button in enumerate(buttons, 2)]
        kind = "MI" if one.said.get("templateMessageType") == "EX" else "AD"
        one.said = {**one.said, "templateMessageType": kind, "buttons": [first, *rest]}
        one.changed_at = self._clock()
        return yes()

    def _delete(self, key: tuple[str, str], one: Standing) -> Said:
        if one.sent_at is not None and self._clock() - one.sent_at < 3 * _DAY:
            return no(-3034, "The template could not be deleted because recently sent message.")
        del self.templates[key]
        return yes()

    def _comment(self, one: Standing, text: str | None, files: list[tuple[tuple[str, str], bytes]]) -> Said:
        there = one.at_review
        if not text:
            return no(-2001, "The 'comment' must not be blank.")
        if there.status in (REQUESTED, APPROVED):
            return no(-3100, "Could not add comment on registered/completed template status.")
        if any(not name.lower().endswith(_ATTACHED) for (_, name), _ in files):
            return no(-4009, "Check the file extension.")
        if len(files) > 10 or any(len(content) > 50 * _MEGABYTE for _, content in files):
            return no(-4007, "The file size is less than 50MB.")
        was_rejected = there.status == REJECTED
        self._say(there, "INQ", text, "shop", [name for (_, name), _ in files])
        if was_rejected:
            there.status, there.at = IN_REVIEW, self._clock()
        return yes()

    # The reviewer

    def take_up(self, code: str) -> None:
        """The reviewer begins."""
        for key, one in self._called(code):
            one.at_review.status = IN_REVIEW
            self._tell(key, one.at_review)

    def approve(self, code: str, text: str = "승인되었습니다.") -> None:
        for key, one in self._called(code):
            done = one.at_review
            self._say(done, "APR", text, "검수자")
            done.status = APPROVED
            if done is not one:
                one.said, one.changed_at = done.said, self._clock()
            self._tell(key, done)

    def reject(self, code: str, why: str) -> None:
        for key, one in self._called(code):
            self._say(one.at_review, "REJ", why, "검수자")
            one.at_review.status = REJECTED
            self._tell(key, one.at_review)

    def reply(self, code: str, text: str) -> None:
        """The reviewer answers and decides nothing."""
        for key, one in self._called(code):
            self._say(one.at_review, "REP", text, "검수자")
            self._tell(key, one.at_review)

    def review_what_is_due(self) -> None:
        """Lets `reviewer` judge everything that has waited for `review_after`."""
        if self.review_after is None:
            return
        for (_, code), one in list(self.templates.items()):
            there = one.at_review
            if there.status in (REQUESTED, IN_REVIEW) and self._clock() - there.at >= self.review_after:
                why = self.reviewer(there.said)
                self.reject(code, why) if why else self.approve(code)

    def news(self) -> list[Callback]:
        """What the webhook has to tell, each told once."""
        self.review_what_is_due()
        hooks, self._hooks = self._hooks, []
        return [self._callback(hook) for hook in hooks]

    def _callback(self, hook: dict[str, Any]) -> Callback:
        said: Said = {"hooksId": f"hooks-{hook['hookId']}", "webhookConfigId": "1", "appKey": self._app_key}
        said |= {"productName": "KakaoTalk Bizmessage", "event": "TEMPLATE_STATUS_UPDATE", "hooks": [hook]}
        headers = {"x-toast-webhook-signature": self._signing_secret, "content-type": "application/json"}
        return Callback("POST", "/hooks/nhn", headers, {}, json.dumps(said, ensure_ascii=False).encode())

    def _called(self, code: str) -> Iterator[tuple[str, Standing]]:
        yield from ((key, one) for (key, name), one in self.templates.items() if name == code)

    def _say(self, one: Standing, status: str, text: str, who: str, files: list[str] | None = None) -> None:
        named = [{"originalFileName": name, "filePath": f"/files/{name}"} for name in files or []]
        said = {"id": next(self._numbers), "content": text, "userName": who, "status": status}
        one.comments.append({**said, "createdAt": clock_time(self._clock()), "attachment": named})
        one.changed_at = self._clock()

    def _tell(self, key: str, one: Standing) -> None:
        row = self._row(key, one)
        names = ("senderKey", "templateCode", "kakaoTemplateCode", "status", "comments", "updateDate")
        self._hooks.append({name: row[name] for name in names} | {"hookId": f"t-{next(self._numbers)}"})

    def _edits(self, one: Standing) -> list[Standing]:
        return list(reversed(one.edits))

    def _row(self, key: str, one: Standing, *, activated: bool | None = None) -> dict[str, Any]:
        row = row_of(one.said, self.profiles[key], one.status, one.comments)
        row |= {"createDate": clock_time(one.at), "updateDate": clock_time(one.changed_at or one.at)}
        return row if activated is None else {**row, "activated": activated and one.status == APPROVED}
