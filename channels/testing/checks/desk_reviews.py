"""One template's way over a desk: registered, read back, rejected, approved, stopped; and all else beside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

from channels.alimtalk.desk import (
    Desk,
    DeskCan,
    DeskError,
    Does,
    Inspection,
    Operation,
    ProfileState,
    Registered,
)
from channels.reasons import Reason
from channels.testing.desk_evidence import DeskEvidence, comparable

_UNDER_REVIEW = (Inspection.REQUESTED, Inspection.IN_REVIEW)
_WHY = "어디에서 보내는지 알 수 없습니다."


async def reviews(desk: Desk, can: DeskCan, evidence: DeskEvidence, settings: object) -> AsyncIterator[str]:
    """Everything that the desk claims is done once, in the order of a template's life."""
    way = _Way(desk, can, evidence, str(getattr(settings, can.more.get("profile_setting", ""), "")))
    parts: list[Callable[[], AsyncIterator[str]]] = [way.beside, way.unknown]
    if evidence.approved_code:
        parts.append(way.known_one)
    elif {Does.DRAFT, Does.REQUEST} & can.does:
        parts += [way.created, way.reviewed, way.in_use, way.deleted]
    for part in parts:
        async for found in part():
            yield found


@dataclass
class _Way:
    desk: Desk
    can: DeskCan
    evidence: DeskEvidence
    profile_key: str
    code: str = ""

    async def beside(self) -> AsyncIterator[str]:
        """What has nothing to do with a template's review."""
        keys = [one.key for one in await self.desk.profiles()]
        if len(set(keys)) < len(keys):
            yield "two profiles have the same key"
        if self.profile_key and self.profile_key not in keys:
            yield "profiles() does not tell of the profile that the settings name"
        if Does.CATEGORIES in self.can.does:
            found = await self.desk.template_categories()
            if not found or not all(one.code and one.name for one in found):
                yield "template_categories() must tell categories, each with a code and a name"
        if Does.BALANCE in self.can.does and not (await self.desk.balance()).currency:
            yield "balance() names no currency"
        if Does.UPLOAD in self.can.does and self.evidence.picture:
            image = await self.desk.upload_image("image", self.evidence.picture)
            if not (image.name or image.url):
                yield "upload_image() must tell the name or the address of the picture at the relay"
        if Does.REGISTER_PROFILE in self.can.does and self.evidence.token:
            async for found_here in self._profile(self.evidence.token):
                yield found_here

    async def _profile(self, token: Callable[[str], str]) -> AsyncIterator[str]:
        category = (await self.desk.profile_categories())[0].code
        who = self.evidence.search_id, self.evidence.phone
        await self.desk.ask_token(*who, category)
        if await _reason(self.desk.register_profile(*who, "000000", category)) is None:
            yield "register_profile() takes a token that nobody was sent"
        await self.desk.ask_token(*who, category)
        made = await self.desk.register_profile(*who, token(self.evidence.search_id), category)
        if made.state is not ProfileState.ACTIVE or made.key not in [
            one.key for one in await self.desk.profiles()
        ]:
            yield "a profile that was registered is active and among profiles()"

    async def unknown(self) -> AsyncIterator[str]:
        if await self.desk.template("no-such-code") is not None:
            yield "template() of a code that nobody has must be None"

    async def known_one(self) -> AsyncIterator[str]:
        """Of a desk that only looks: an approved template can be read."""
        self.code = self.evidence.approved_code
        told = await self.desk.template(self.code)
        if told is None or told.inspection is not Inspection.APPROVED:
            yield "the template that is approved is not told so"
        elif comparable(told.template) != comparable(self.evidence.template):
            yield f"the template reads otherwise than it was registered: {told.template}"
        if self.code not in [one.code for one in await self.desk.templates()]:
            yield "templates() leaves out the template that is approved"

    async def created(self) -> AsyncIterator[str]:
        made = await self.desk.create(self.evidence.code, self.evidence.template)
        self.code = made.code
        if not self.can.chooses_code and made.code != self.evidence.code:
            yield "create() gave the template another code, so claim chooses_code"
        expected = [Inspection.DRAFT] if Does.DRAFT in self.can.does else _UNDER_REVIEW
        if made.inspection not in expected:
            yield f"create() tells {made.inspection}: with Does.DRAFT it is a draft, without at review"
        async for found in self._reads_back():
            yield found
        if Does.UPDATE in self.can.does and Does.DRAFT in self.can.does:
            await self.desk.update(self.code, replace(self.evidence.template, name="다른 이름"))
            if getattr((await self._told()).template, "name", "") != "다른 이름":
                yield "update() did not change the template's name"
            await self.desk.update(self.code, self.evidence.template)
        if await _reason(self.desk.update("no-such-code", self.evidence.template)) is None:
            yield "update() of a code that nobody has must raise DeskError"

    async def _reads_back(self) -> AsyncIterator[str]:
        template = (await self._told()).template
        if comparable(template) != comparable(self.evidence.template):
            yield f"what was registered reads otherwise: {template} instead of {self.evidence.template}"

    async def reviewed(self) -> AsyncIterator[str]:
        if Does.DRAFT in self.can.does:
            asked = await self.desk.request_review(self.code, "검수 부탁드립니다.")
            if asked.inspection not in _UNDER_REVIEW:
                yield f"request_review() tells {asked.inspection}"
        if Does.CANCEL in self.can.does:
            if (await self.desk.cancel_request(self.code)).inspection is not Inspection.DRAFT:
                yield "cancel_request() does not make it a draft again"
            await self.desk.request_review(self.code)
        if self.evidence.reject:
            self.evidence.reject(self.code, _WHY)
            async for found in self._rejected():
                yield found
            await self.desk.request_review(self.code, "고쳤습니다.")
        if self.evidence.approve:
            self.evidence.approve(self.code)
            if (await self._told()).inspection is not Inspection.APPROVED:
                yield "a template that the relay approved is not told so"
            async for found in self._reads_back():
                yield found
            listed = [one.code for one in await self.desk.templates() if not one.is_revision]
            if listed.count(self.code) != 1:
                yield "templates() tells an approved template other than once"

    async def _rejected(self) -> AsyncIterator[str]:
        told, again = await self._told(), await self._told()
        if told.inspection is not Inspection.REJECTED:
            yield "a template that the relay rejected is not told so"
        if not any(_WHY in one.text for one in told.comments):
            yield "why the relay rejected a template is not among its comments"
        keys = [one.key for one in told.comments]
        if keys != [one.key for one in again.comments] or len(set(keys)) < len(keys) or not all(keys):
            yield "comments must keep their keys from one look to the next, each its own"

    async def in_use(self) -> AsyncIterator[str]:
        if not self.evidence.approve:
            return
        does, stopped = self.can.does, Operation.STOPPED
        if Does.STOP in does and (await self.desk.stop(self.code)).operation is not stopped:
            yield "stop() does not stop"
        if Does.REUSE in does and (await self.desk.reuse(self.code)).operation is stopped:
            yield "reuse() leaves it stopped"
        if Does.CANCEL_APPROVAL in does:
            told = await self.desk.cancel_approval(self.code)
            if told.inspection is Inspection.APPROVED:
                yield "cancel_approval() leaves it approved"

    async def deleted(self) -> AsyncIterator[str]:
        if Does.DELETE not in self.can.does or Does.DRAFT not in self.can.does:
            return
        other = replace(self.evidence.template, name="지울 것")
        made = await self.desk.create(f"{self.evidence.code}_2"[-20:], other)
        await self.desk.delete(made.code)
        if await self.desk.template(made.code) is not None:
            yield "delete() leaves the template where it was"

    async def _told(self) -> Registered:
        told = await self.desk.template(self.code)
        if told is None:
            raise DeskError(Reason.UNKNOWN, text=f"template({self.code!r}) is None, and it was registered")
        return told


async def _reason(asked: Awaitable[object]) -> Reason | None:
    try:
        await asked
    except DeskError as error:
        return error.reason
    return None
