"""Templates of Alimtalks: found, listed, saved, put away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from channels.alimtalk.filling import variables_of
from channels.alimtalk.reading import read_template, to_data
from channels.alimtalk.template import Template
from server.alimtalk.declaration import Declaration, missing, read_declaration
from server.alimtalk.declaration import to_data as declared_data
from server.context import Context
from server.desks.adopting import MOST_TEMPLATES
from server.store import alimtalk_keyed, uses
from server.store import alimtalk_templates as templates
from server.store.alimtalk_templates import Text, Wanted
from server.store.paging import Page, Slice
from server.store.sessions import WriteSession
from server.templates.render import compile_problems

from .once import Answer, once
from .refusals import InUse, Invalid, Missing

LONGEST_KEY, LONGEST_NAME, LONGEST_BINDING = 100, 200, 10_000
GONE = "There is no such template in this project."


@dataclass(frozen=True, slots=True)
class Draft:
    """A template as it is to be saved."""

    key: str
    template: Template
    name: str = ""
    bindings: Mapping[str, str] | None = None
    """As they are where none are given."""
    declaration: Declaration | None = None


async def page(context: Context, wanted: Wanted, page: Page) -> Slice:
    async with context.db.read() as session:
        return await templates.page(session, context.project_id, wanted, page)


async def by_key(context: Context, key: str) -> Any | None:
    async with context.db.read() as session:
        return (await templates.by_keys(session, context.project_id, [key])).get(key)


async def by_id(context: Context, template_id: int) -> Any | None:
    return await context.loaders.alimtalk_by_id.load(template_id)


async def versions(context: Context, template_id: int) -> list[Any]:
    """The newest first."""
    return await context.loaders.alimtalk_versions.load(template_id) or []


async def registrations(context: Context, template_id: int) -> list[Any]:
    """Those of the newest version first."""
    return await context.loaders.alimtalk_registrations.load(template_id) or []


async def save(context: Context, draft: Draft, key: str | None) -> Answer:
    """Saves a draft: of a version that nobody was asked to review, or else the next one.

    Where the text stays as it is, what fills it and what is declared is said anew, of the same version.
    Raises Invalid, IdempotencyConflict.
    """
    _check(draft)

    async def work(session: WriteSession) -> Answer:
        found = await templates.locked(session, context.project_id, draft.key)
        if found is None:
            return await _create(session, context, draft)
        return await _go_on(session, context, draft, found)

    wish = [draft.key, draft.name, to_data(draft.template), draft.bindings, _declared(draft)]
    return await once(context, key, ("saveAlimtalkTemplate", wish), work)


async def _create(session: WriteSession, context: Context, draft: Draft) -> Answer:
    if await templates.count(session, context.project_id) >= MOST_TEMPLATES:
        raise Invalid(f"A project has at most {MOST_TEMPLATES} templates.", ("input", "key"))
    name, now = _name(draft), context.clock.now()
    text = _text(draft, None)
    made = await templates.create(session, context.project_id, draft.key, name, text, now)
    return {"template_id": made, "number": 1}


async def _go_on(session: WriteSession, context: Context, draft: Draft, found: Any) -> Answer:
    now, number = context.clock.now(), int(found.latest)
    latest = (await templates.versions(session, context.project_id, [found.id]))[found.id][0]
    text = _text(draft, latest)
    if latest.submitted_at is not None and _is_as_it_was(text, latest):
        _check_declared(declaration_of(latest), read_declaration(orjson.loads(text.declaration)))
    if latest.submitted_at is None or _is_as_it_was(text, latest):
        await templates.rewrite(session, found.id, number, text, now)
    else:
        number = await templates.add_version(session, found, text, now)
    await templates.touch(session, found.id, now, name=_name(draft), latest=number)
    return {"template_id": found.id, "number": number}


def _check_declared(was: Declaration, now: Declaration) -> None:
    """What was declared of what was handed in is said better, and not taken back. Raises Invalid."""
    path = ("input", "declaration")
    if now == was:
        return
    if lacks := missing(now):
        raise Invalid(f"The template was handed in, and its declaration lacks: {lacks[0].message}", path)
    if (was.is_of_benefit and not now.is_of_benefit) or (was.demands and not now.demands):
        message = (
            "The template was handed in as a notice about coupons or points on that ground: whom it may be "
            "sent to is not loosened any more. Save another text, which is another version."
        )
        raise Invalid(message, path)


def _is_as_it_was(text: Text, latest: Any) -> bool:
    return bool(orjson.loads(text.content) == orjson.loads(latest.content))


def _text(draft: Draft, latest: Any | None) -> Text:
    """What is not said stays as the version before has it."""
    bindings = "{}" if latest is None else latest.bindings
    declaration = "{}" if latest is None else latest.declaration
    if draft.bindings is not None:
        bindings = orjson.dumps(dict(draft.bindings)).decode()
    if draft.declaration is not None:
        declaration = orjson.dumps(_declared(draft)).decode()
    return Text(orjson.dumps(to_data(draft.template)).decode(), bindings, declaration)


def _declared(draft: Draft) -> dict[str, Any] | None:
    return None if draft.declaration is None else declared_data(draft.declaration)


def _name(draft: Draft) -> str:
    return (draft.name or draft.template.name or draft.key).strip()[:LONGEST_NAME]


def _check(draft: Draft) -> None:
    key = draft.key
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable() or key != key.strip():
        raise Invalid(f"A key has 1 to {LONGEST_KEY} visible characters.", ("input", "key"))
    if len(draft.name) > LONGEST_NAME:
        raise Invalid(f"A name has at most {LONGEST_NAME} characters.", ("input", "name"))
    names = set(variables_of(draft.template))
    for place, (name, source) in enumerate((draft.bindings or {}).items()):
        path = ("input", "bindings", str(place))
        if name not in names:
            there = ", ".join(sorted(names)) or "none"
            raise Invalid(f"The template has no variable {name!r}; it has: {there}.", path)
        if len(source) > LONGEST_BINDING:
            raise Invalid(f"A text has at most {LONGEST_BINDING:,} characters.", path)
        if wrong := compile_problems(source, "value"):
            raise Invalid(wrong[0].message, (*path, "value"))


async def archive(context: Context, template_id: int, is_archived: bool, key: str | None) -> Answer:
    """Puts a template away, or takes it out again. Raises Missing; InUse while journeys send it."""

    async def work(session: WriteSession) -> Answer:
        found = (await templates.by_ids(session, context.project_id, [template_id])).get(template_id)
        if found is None:
            raise Missing(GONE, ("input", "id"))
        if is_archived:
            sends = await alimtalk_keyed.sends(session, context.project_id, [found.key])
            sending = await uses.journeys(session, context.project_id, partial(sends, found.key))
            if sending:
                named = ", ".join(f"“{title}”" for _, title in sending)
                raise InUse(f"These journeys send it: {named}.", ("input", "id"), sending, 0)
        now = context.clock.now()
        at = now if is_archived else None
        await templates.archive(session, context.project_id, template_id, at, now)
        return {"template_id": template_id}

    return await once(context, key, ("archiveAlimtalkTemplate", [template_id, is_archived]), work)


def content_of(version: Any) -> Template:
    """What a version says."""
    template = read_template(orjson.loads(version.content))[0]
    assert template is not None
    return template


def bindings_of(version: Any) -> dict[str, str]:
    return dict(orjson.loads(version.bindings))


def declaration_of(version: Any) -> Declaration:
    return read_declaration(orjson.loads(version.declaration))


__all__: Sequence[str] = [
    "Draft",
    "Wanted",
    "archive",
    "bindings_of",
    "by_id",
    "by_key",
    "content_of",
    "declaration_of",
    "page",
    "registrations",
    "save",
    "versions",
]
