"""SENS's desk: what its API tells of channels and templates. Everything that changes them is done in Naver
Cloud's console, and seen here afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from channels.alimtalk.desk import (
    Attachment,
    Balance,
    Category,
    DeskCan,
    DeskError,
    Profile,
    Registered,
)
from channels.alimtalk.limits import SENS
from channels.alimtalk.template import Image, Template
from channels.answers import objects, read_json, words
from channels.contract import Accepted, Deferred, Instant, Tools, Unknown
from channels.kakao.sens_account import CONSOLE, NO_PROFILE, SensSettings, ask, refusal
from channels.kakao.sens_desk_words import changed_at, profile_of, registered_of
from channels.reasons import Reason

PAGE = 100
SENS_DESK_CAN = DeskCan(
    does=frozenset(),
    limits=SENS,
    review_days=(1, 3),
    more={
        "profile_setting": "channel_id",
        "console": "https://console.ncloud.com/sens/kakaotalk-alimtalk-template",
        "register": f"Templates and channels are registered in {CONSOLE}; Sojourn finds them by itself.",
    },
)


class SensDesk:
    """What can be seen of one service's channels, and of one channel's templates."""

    def __init__(self, settings: SensSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    async def profiles(self) -> list[Profile]:
        return [profile_of(row) for row in await self._rows("/channels")]

    async def templates(self, changed_since: Instant | None = None) -> list[Registered]:
        """SENS does not ask by time: what has not changed is left out here. Comments come one by one only."""
        rows: list[dict[str, Any]] = []
        for page in range(1000):
            query = {"channelId": self._channel(), "pageSize": PAGE, "pageIndex": page}
            found = await self._rows("/templates", query)
            rows += found
            if len(found) < PAGE:
                break
        since = changed_since or 0
        wanted = [row for row in rows if (changed_at(row) or since) >= since]
        return [registered_of(row, self._tools.clock()) for row in wanted]

    async def template(self, code: str) -> Registered | None:
        rows = await self._rows("/templates", {"channelId": self._channel(), "templateCode": code})
        found = [row for row in rows if words(row.get("templateCode")) == code]
        return registered_of(found[0], self._tools.clock()) if found else None

    # What is done in the console

    async def ask_token(self, search_id: str, phone: str, category: str = "") -> None:
        raise _in_console("register a channel", "AlimTalk Channel")

    async def register_profile(self, search_id: str, phone: str, token: str, category: str) -> Profile:
        raise _in_console("register a channel", "AlimTalk Channel")

    async def profile_categories(self) -> list[Category]:
        raise _in_console("tell categories of channels", "AlimTalk Channel")

    async def template_categories(self) -> list[Category]:
        raise _in_console("tell categories of templates")

    async def groups(self) -> dict[str, tuple[str, ...]]:
        raise _in_console("tell groups of channels", "AlimTalk Channel")

    async def join_group(self, group: str, profile_key: str) -> None:
        raise _in_console("put a channel into a group", "AlimTalk Channel")

    async def create(self, code: str, template: Template) -> Registered:
        raise _in_console("register a template")

    async def update(self, code: str, template: Template) -> Registered:
        raise _in_console("edit a template")

    async def request_review(
        self, code: str, comment: str = "", attachments: Sequence[Attachment] = ()
    ) -> Registered:
        raise _in_console("ask for a review")

    async def cancel_request(self, code: str) -> Registered:
        raise _in_console("take a request for review back")

    async def comment(self, code: str, text: str, attachments: Sequence[Attachment] = ()) -> Registered:
        raise _in_console("take a comment")

    async def stop(self, code: str) -> Registered:
        raise _in_console("stop a template")

    async def reuse(self, code: str) -> Registered:
        raise _in_console("take a template up again")

    async def cancel_approval(self, code: str) -> Registered:
        raise _in_console("give an approval back")

    async def release(self, code: str) -> Registered:
        raise _in_console("wake a dormant template")

    async def delete(self, code: str) -> None:
        raise _in_console("delete a template")

    async def upload_image(self, kind: str, picture: Attachment) -> Image:
        raise _in_console("take a picture of a template")

    async def balance(self) -> Balance:
        raise DeskError(
            Reason.NOT_PERMITTED,
            text="SENS has no balance: Naver Cloud bills by the month, see My Page > Billing in its console.",
        )

    async def aclose(self) -> None:
        pass

    # Asking

    def _channel(self) -> str:
        if not self._settings.channel_id:
            raise DeskError(Reason.SENDER_INVALID, text=NO_PROFILE, path="channel_id")
        return self._settings.channel_id

    async def _rows(self, path: str, query: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of an answer, which is a list, or one row alone. Raises DeskError for any other answer."""
        answer = await ask(self._settings, self._tools, "GET", path, query=query)
        if isinstance(answer, Deferred | Unknown):
            raise DeskError(answer.reason, answer.code, answer.text)
        if answer.status_code == 404 and not answer.content:
            return []  # how SENS says that there is none
        said = read_json(answer.content)
        if answer.is_success and isinstance(said, list):
            return objects(said)
        if answer.is_success and isinstance(said, dict) and said.get("templateCode"):
            return [said]
        if answer.is_success:
            raise DeskError(Reason.PROVIDER_ERROR, str(answer.status_code), "SENS's answer cannot be read.")
        outcome = refusal(answer, self._tools.clock())
        reason = Reason.PROVIDER_ERROR if isinstance(outcome, Accepted) else outcome.reason
        raise DeskError(reason, outcome.code, outcome.text[:500])


def _in_console(what: str, menu: str = "AlimTalk Template") -> DeskError:
    """Of what SENS's API has no way to do."""
    return DeskError(Reason.NOT_PERMITTED, text=f"SENS's API cannot {what}: do it in {CONSOLE} > {menu}.")
