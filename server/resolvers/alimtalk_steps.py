"""What is wrong with the Alimtalk steps of a graph: above all with those that name a template of the project.

A step whose `template` is no key of the project's names the relay's own code, of which nothing is known here.
So may one whose key is both: `alimtalk_keyed` decides.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from channels.alimtalk.filling import bare, variables_of
from channels.alimtalk.reading import read_template
from server.alimtalk.declaration import Declaration, NoticeOf, missing, read_declaration
from server.context import Context
from server.journey.graph import Graph, read_graph
from server.journey.moment import Path, Problem
from server.journey.scopes import Scope, asked_by, bound_by, entries_to, row_names
from server.journey.steps import Alimtalk, EntryAudience, MessageStep, stand_in
from server.store import alimtalk_keyed, alimtalk_sendable, connected, user_lists
from server.store.alimtalk_keyed import Keyed
from server.store.alimtalk_sendable import Known
from server.store.sessions import ReadSession

from .alimtalk_unsendable import unsendable
from .sending_problems import shows_voucher

_INFORMATION = "information"
_VARIABLES = ("variables",)
_NEEDS = {
    Scope.COUPON: "a coupon",
    Scope.UPLOAD: "the line of an uploaded list",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A step, where it stands, and the template of the project that it names."""

    here: Path
    step: Alimtalk
    known: Known
    variables: tuple[str, ...]
    bindings: Mapping[str, str]
    declaration: Declaration

    @property
    def said(self) -> dict[str, str]:
        """By variable: the text that gives its value. The step's own goes before that of the version."""
        own = {bare(name): text for name, text in self.step.variables.items()}
        return {name: text for name, text in {**self.bindings, **own}.items() if name in self.variables}

    @property
    def inherited(self) -> dict[str, str]:
        own = {bare(name) for name in self.step.variables}
        return {name: text for name, text in self.said.items() if name not in own}


def alimtalk_steps(graph: Graph, data: Mapping[str, Any]) -> list[tuple[Path, Alimtalk]]:
    """Each with its place in the data; of two with one key the first."""
    found: dict[str, tuple[Path, Alimtalk]] = {}
    for index, item in enumerate(data.get("steps") or ()):
        step = graph.steps.get(item.get("key", ""))
        if isinstance(step, Alimtalk):
            found.setdefault(step.key, (("steps", index), step))
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Words:
    """Texts that a step sends, and where in the step's data they stand."""

    here: Path
    step_key: str
    what: str
    """Of what they are the texts, for people."""
    where: Path
    texts: tuple[str, ...]


def template_keys(graph: Graph) -> set[str]:
    """What its Alimtalk steps name as their template: keys of the project's, or codes of relays."""
    steps = (step for step in graph.steps.values() if isinstance(step, Alimtalk))
    return {step.content["template"] for step in steps if "template" in step.content}


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of the project that a drawn graph names, by their keys."""

    known: Mapping[str, Known]
    keyed: Mapping[str, Keyed]
    places: Sequence[Any]
    """The connections of the project."""

    def make(self, step: MessageStep) -> bool:
        """Whether a step is made of one of them."""
        if not isinstance(step, Alimtalk) or _key(step) not in self.known:
            return False
        there = sorted(_reaching(step, self.places), key=lambda row: (row.preference, row.id))
        through = there[0].id if there else None
        return alimtalk_keyed.is_made_of(step, self.keyed.get(_key(step)), through)


async def templates_in(session: ReadSession, project_id: int, data: Mapping[str, Any]) -> Templates:
    keys = template_keys(read_graph(data)[0])
    known = await alimtalk_sendable.known(session, project_id, keys) if keys else {}
    if not known:
        return Templates({}, {}, ())
    keyed = await alimtalk_keyed.of_project(session, project_id, keys)
    return Templates(known, keyed, await connected.of_project(session, project_id))


async def problems(
    session: ReadSession, context: Context, data: Mapping[str, Any], templates: Templates
) -> list[Problem]:
    graph, wrong = read_graph(data)
    steps = alimtalk_steps(graph, data)
    found = [one for here, step in steps for one in _purpose(here, step)]
    made = [_made(here, step, templates.known[_key(step)]) for here, step in steps if templates.make(step)]
    columns = await user_lists.columns(session, context.project_id) if made else {}
    for one in made:
        found += [*_step_problems(one), *_declaration_problems(one), *_secret_problems(one)]
        reaching = {row.id: row.name for row in _reaching(one.step, templates.places)}
        found += unsendable(one.here, one.known, reaching)
        if not wrong:
            for words in _words(one):
                found += [*_scope_problems(words, graph), *_column_problems(words, graph, columns)]
    return found


def _key(step: Alimtalk) -> str:
    return step.content.get("template", "")


def _made(here: Path, step: Alimtalk, known: Known) -> Made:
    template, _ = read_template(orjson.loads(known.content))
    return Made(
        here,
        step,
        known,
        variables_of(template) if template else (),
        orjson.loads(known.bindings),
        read_declaration(orjson.loads(known.declaration)),
    )


def _purpose(here: Path, step: Alimtalk) -> Iterator[Problem]:
    if step.purpose != _INFORMATION:
        message = (
            "An Alimtalk tells what its reader has asked for; an advertisement is not allowed there. "
            "Send it as a brand message, or make it information."
        )
        yield Problem((*here, "purpose"), message, "invalid")


def _step_problems(made: Made) -> Iterator[Problem]:
    here, step, key = made.here, made.step, made.known.key
    for name, path in (("text", ("text",)), ("title", step.path_of("title")), ("options", ("options",))):
        if step.content.get(name) or (name == "options" and step.options):
            message = f"The template {key!r} says this itself, as it was approved: leave it out."
            yield Problem((*here, *path), message, "invalid")
    for name in step.variables:
        if bare(name) not in made.variables:
            there = ", ".join(made.variables) or "none"
            message = f"The template {key!r} has no variable {bare(name)!r}; it has: {there}."
            yield Problem((*here, "variables", name), message, "unknown_variable")
    for name in made.variables:
        if not made.said.get(name, "").strip():
            message = (
                f"Nothing gives a value for #{{{name}}} of the template {key!r}: neither the step's "
                "`variables` nor the bindings of the template."
            )
            yield Problem((*here, "variables"), message, "missing")
    if not step.rules.pool and any(shows_voucher(text) for text in made.inherited.values()):
        message = f"The template {key!r} shows a voucher, and the step takes none from a pool."
        yield Problem((*here, "voucher"), message, "template")


def _declaration_problems(made: Made) -> Iterator[Problem]:
    path, key = (*made.here, "template"), made.known.key
    for lacking in missing(made.declaration):
        message = f"The declaration of the template {key!r} lacks `{lacking.field}`. {lacking.message}"
        yield Problem(path, message, "declaration")
    for words in _words(made):
        if Scope.COUPON in asked_by(words.texts) and not made.declaration.is_of_benefit:
            message = (
                f"{words.what} shows a coupon, and the template is not declared as a notice about one: "
                "declare its ground, what the coupon is given for, and the name of the shop."
            )
            where = path if words.where == _VARIABLES else (*made.here, *words.where)
            yield Problem(where, message, "declaration")


def _secret_problems(made: Made) -> Iterator[Problem]:
    """What tells who somebody is goes to no channel that somebody else can read."""
    fallback = made.step.fallback
    if fallback is not None and made.declaration.kind is NoticeOf.AUTHENTICATION and not fallback.must_arrive:
        message = (
            f"The template {made.known.key!r} is for authentication: what goes out in its place may be read "
            "by somebody else. Leave `fallback` out, or say `mustArrive` if the shop answers for it."
        )
        yield Problem((*made.here, "fallback"), message, "invalid")


def _words(made: Made) -> Iterator[Words]:
    """What the template says for a recipient, and what goes out in its place."""
    texts = tuple(made.said.values())
    yield Words(made.here, made.step.key, f"The template {made.known.key!r}", _VARIABLES, texts)
    if (other := stand_in(made.step)) is not None:
        texts = tuple(text for _, text in other.templates())
        yield Words(made.here, made.step.key, "What goes out in its place", ("fallback",), texts)


def _scope_problems(words: Words, graph: Graph) -> Iterator[Problem]:
    asked = asked_by(words.texts)
    for entry in entries_to(graph, words.step_key) if asked else ():
        for scope in sorted(asked - bound_by(entry)):
            message = (
                f"{words.what} shows {_NEEDS[scope]}, and whoever comes in by {entry.key!r} brings none."
            )
            yield Problem((*words.here, *words.where), message, "unbound")


def _column_problems(words: Words, graph: Graph, columns: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    """A list that lets people in has the columns that the texts show."""
    shown = row_names(words.texts)
    for entry in entries_to(graph, words.step_key) if shown else ():
        if isinstance(entry, EntryAudience) and entry.list in columns:
            for name in sorted(shown - columns[entry.list]):
                message = f"The list {entry.list!r} has no column {name!r}, which the step shows."
                yield Problem((*words.here, *words.where), message, "unbound")


def _reaching(step: Alimtalk, places: Iterable[Any]) -> list[Any]:
    """The connections that this step may go through."""
    there = [row for row in places if row.channel == step.channel]
    if step.connection:
        return [row for row in there if row.name == step.connection]
    return [row for row in there if row.is_enabled]
