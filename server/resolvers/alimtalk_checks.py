"""What is wrong with a version, before a relay is asked: by the linter, and by what is declared."""

from typing import Any

import orjson

from channels.alimtalk.desk import DeskCan
from channels.alimtalk.filling import variables_of
from channels.alimtalk.findings import Finding, Severity
from channels.alimtalk.limits import KAKAO, Limits
from channels.alimtalk.lint import lint
from channels.alimtalk.lint.about import About
from server.alimtalk.declaration import NoticeOf, missing
from server.store import sender_profiles
from server.store.sessions import ReadSession

from . import alimtalk
from .refusals import Invalid, Undeclared, Unfit

LONGEST_COMMENT = 4000


def findings(version: Any, limits: Limits = KAKAO, *, company: str = "", **more: Any) -> list[Finding]:
    """Everything that is wrong with a version, in the order of the rules."""
    declared = alimtalk.declaration_of(version)
    about = About(
        company=declared.company or company,
        declaration=declared.kind.value if version.declaration != "{}" else "",
        issue_condition=declared.issue_condition,
        is_expiry_notice=declared.is_expiry_notice,
        is_auth=declared.kind is NoticeOf.AUTHENTICATION,
        bindings=alimtalk.bindings_of(version),
        **more,
    )
    return lint(alimtalk.content_of(version), limits, about)


def check_bound(version: Any, former: Any) -> None:
    """`former` is the version that is sent now: steps that name the template know nothing of variables that
    came later, and would send nothing once it is approved. Raises Invalid."""
    known = variables_of(alimtalk.content_of(former))
    bindings = alimtalk.bindings_of(version)
    fresh = [name for name in variables_of(alimtalk.content_of(version)) if name not in known]
    if unbound := [f"#{{{name}}}" for name in fresh if not bindings.get(name, "").strip()]:
        message = (
            f"Version {former.number} is sent by now, and Nothing fills {', '.join(unbound)}, which is new: "
        )
        message += "save a binding for it, so that journeys go on once this version is approved."
        raise Invalid(message, ("input", "id"))


async def check(
    session: ReadSession, project_id: int, version: Any, where: tuple[str, int], can: DeskCan
) -> None:
    """`where` is the template's key and the connection. Raises Undeclared, Unfit."""
    lacks = missing(alimtalk.declaration_of(version))
    if lacks:
        raise Undeclared([(one.field, one.message) for one in lacks])
    profile = (await sender_profiles.by_connections(session, [where[1]])).get(where[1])
    company = profile.company if profile is not None else ""
    is_first_time = bool(profile.is_first_time) if profile is not None else False
    found = findings(version, can.limits, company=company, is_first_time=is_first_time)
    errors = [one for one in found if one.severity is Severity.ERROR]
    if errors:
        raise Unfit(errors, orjson.loads(version.content))
