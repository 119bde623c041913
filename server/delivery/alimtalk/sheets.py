"""A version of a template as it goes out through one connection, read once for all of its messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import orjson

from channels.alimtalk.desk import WithDesk
from channels.alimtalk.filling import variables_of
from channels.alimtalk.limits import KAKAO, Limits
from channels.alimtalk.lint.about import About
from channels.alimtalk.reading import read_template
from channels.alimtalk.template import Template
from channels.contract import AnyChannel
from server.alimtalk.declaration import Declaration, NoticeOf, read_declaration
from server.store.alimtalk_sendable import Sendable

_MOST_READ = 512


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a message is made of: never changes, so that all messages of a version share one."""

    key: str
    """By which steps name the template."""
    number: int
    connection_id: int
    code: str
    """The relay's."""
    registration_id: int
    template: Template
    variables: tuple[str, ...]
    bindings: Mapping[str, str]
    """By variable: the Liquid text that gives its value, where the step says nothing else."""
    declaration: Declaration
    about: About
    """What the rules want to know beside the template."""


@lru_cache(maxsize=_MOST_READ)
def read_sheet(found: Sendable) -> Sheet | None:
    """None if nobody can read the template any more.

    Remembered by everything that the store says of it, so that whatever changes is read anew.
    """
    template, _ = read_template(orjson.loads(found.content))
    if template is None:
        return None
    declaration = read_declaration(orjson.loads(found.declaration))
    return Sheet(
        key=found.key,
        number=found.number,
        connection_id=found.connection_id,
        code=found.code,
        registration_id=found.registration_id,
        template=template,
        variables=variables_of(template),
        bindings=orjson.loads(found.bindings),
        declaration=declaration,
        about=about_of(declaration, found.company, is_first_time=bool(found.is_first_time)),
    )


def about_of(declaration: Declaration, company: str, *, is_first_time: bool) -> About:
    return About(
        company=declaration.company or company,
        declaration=declaration.kind.value,
        issue_condition=declaration.issue_condition,
        is_expiry_notice=declaration.is_expiry_notice,
        is_first_time=is_first_time,
        is_auth=declaration.kind is NoticeOf.AUTHENTICATION,
    )


def limits_of(adapter: AnyChannel) -> Limits:
    """What its relay allows; KakaoTalk's own limits where it says nothing."""
    return adapter.desk_can.limits if isinstance(adapter, WithDesk) else KAKAO
