"""A template sent once to try it: filled for somebody, checked like every message, and counted nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from channels.alimtalk.desk import WithDesk
from channels.alimtalk.filling import bare, fill
from channels.alimtalk.findings import Finding
from channels.alimtalk.lint import lint_filled
from channels.alimtalk.template import Template
from server.context import Context
from server.delivery.alimtalk.sheets import Sheet, limits_of, read_sheet
from server.delivery.alimtalk.writing import errors, written
from server.store import alimtalk_demands, alimtalk_sendable
from server.store.alimtalk_sendable import Known, Sendable, Standing
from server.store.open_connections import OpenConnection
from server.store.sessions import ReadSession

from . import alimtalk_unsendable, trials
from .alimtalk_values import Reader, values_of
from .refusals import Invalid, Missing
from .trials import Sent, Wish

SENDS_DRAFTS = "sends_drafts"
"""What a desk says in `DeskCan.more` if its relay takes messages of templates that are not approved."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Which template goes to whom."""

    template: str
    connection_id: int
    to: str
    version: int | None = None
    """The one that would be sent if nothing is said; where none may be, the last one there."""
    reader: Reader = field(default_factory=Reader)


@dataclass(frozen=True, slots=True)
class Tried:
    number: int
    filled: Template
    findings: Sequence[Finding]
    """What was found, beside what would have kept it here."""
    sent: Sent


async def send(context: Context, trial: Trial, key: str | None) -> Tried:
    """Raises Missing, Invalid, Unwanted, IdempotencyConflict."""
    connection = await trials.opened(context, trial.connection_id)
    async with context.db.read() as session:
        sheet = await _sheet(session, context, trial, connection)
    values = await _values(context, sheet, trial)
    limits = limits_of(connection.adapter)
    filled = fill(sheet.template, values)
    findings = lint_filled(sheet.template, filled, limits, sheet.about, values)
    if wrong := errors(findings):
        told = " ".join(f"{one.rule}: {one.message_en}" for one in wrong)
        raise Invalid(
            f"Filled like this it would be refused, so nothing was sent. {told}", ("input", "values")
        )
    said = written(sheet.code, filled, values)
    wish = Wish(trial.to, said.content, said.variables, said.options)
    sent = await trials.send(context, trial.connection_id, wish, key)
    return Tried(sheet.number, filled, findings, sent)


async def _sheet(session: ReadSession, context: Context, trial: Trial, connection: OpenConnection) -> Sheet:
    known = (await alimtalk_sendable.known(session, context.project_id, [trial.template])).get(trial.template)
    if known is None:
        raise Missing(f"There is no template {trial.template!r} in this project.", ("input", "template"))
    one = _standing(known, trial)
    if not one.is_sendable and not _sends_drafts(connection, one):
        message = (
            f"Version {one.number} {alimtalk_unsendable.standing(one)}. Until then nothing of it is sent."
        )
        raise Invalid(message, ("input", "version"))
    version = await alimtalk_demands.numbered(session, context.project_id, known.key, one.number)
    company = await alimtalk_demands.company(session, trial.connection_id)
    sheet = None
    if version is not None:
        told = (known.template_id, known.key, one.number, one.connection_id, one.code)
        texts = (version.content, version.bindings, version.declaration)
        sheet = read_sheet(Sendable(*told, *texts, one.registration_id, *company))
    if sheet is None:
        raise Invalid("There is no such version of the template.", ("input", "version"))
    return sheet


def _standing(known: Known, trial: Trial) -> Standing:
    """Of the version that is wanted, at the connection that is wanted."""
    there = [one for one in known.standings if one.connection_id == trial.connection_id]
    if trial.version is not None:
        there = [one for one in there if one.number == trial.version]
    found = next((one for one in there if one.is_sendable), next(iter(there), None))
    if found is None:
        which = "The template" if trial.version is None else f"Version {trial.version} of the template"
        raise Invalid(f"{which} is not registered at this connection.", ("input", "connectionId"))
    return found


def _sends_drafts(connection: OpenConnection, one: Standing) -> bool:
    adapter = connection.adapter
    return bool(one.code and isinstance(adapter, WithDesk) and adapter.desk_can.more.get(SENDS_DRAFTS))


async def _values(context: Context, sheet: Sheet, trial: Trial) -> dict[str, str]:
    by_hand = {bare(name): text for name, text in trial.reader.values.items()}
    unknown = [name for name in by_hand if name not in sheet.variables]
    if unknown:
        there = ", ".join(sheet.variables) or "none"
        raise Invalid(f"There is no variable {unknown[0]!r}; there are: {there}.", ("input", "values"))
    reader = Reader(trial.reader.user, trial.reader.event, trial.reader.properties, by_hand)
    bindings = {name: text for name, text in sheet.bindings.items() if name in sheet.variables}
    values = await values_of(context, bindings, reader)
    for name in sheet.variables:
        if name not in values.said:
            why = values.problems.get(name, "neither `values` nor the template's bindings")
            raise Invalid(f"Nothing gives a value for #{{{name}}}: {why}.", ("input", "values"))
    return {name: values.said[name] for name in sheet.variables}
