"""What a message says: its step's templates, rendered for one person, with the links that we follow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from channels.alimtalk.filling import bare
from channels.alimtalk.limits import KAKAO, Limits
from channels.contract import Message, Purpose
from server.clock import Instant
from server.delivery.links import Tracking
from server.journey.graph import Graph, read_graph
from server.journey.moment import Path
from server.journey.steps import Email, MessageStep, stand_in
from server.store import outbox, passages
from server.store.database import Database
from server.store.receipts import SHARD_MASK
from server.templates.render import TemplateProblem, render

from . import shopping
from .alimtalk import writing
from .alimtalk.sheets import Sheet
from .alimtalk.values import coupon_of, row_of
from .alimtalk.writing import NoTemplate, Written
from .claims import Claimed
from .earlier import Values, values_of
from .hearing import write_reference

EMAIL = "email"
PUSH = "push"
HTML = "html"
_BODIES = (HTML, "text")
_FOLLOWED = {
    EMAIL: (HTML,),
    **{channel: ("text", "url") for channel in ("push", "sms", "whatsapp", "in_app")},
}
"""By channel: the texts whose links lead through us. None of Alimtalk's: what was approved as a
template has to arrive letter by letter, its buttons' links too."""
_MOST_GRAPHS = 500
_MESSAGES, _SHOPPING = "messages", "shopping"
_NOTHING = Email(key="", title="", channel="")


@dataclass(slots=True)
class Writer:
    """Writes messages. Published graphs never change, so those in use are kept."""

    db: Database
    tracking: Tracking
    _graphs: dict[tuple[int, int], Graph] = field(default_factory=dict)
    _asking: dict[tuple[int, int, str, bool], frozenset[str]] = field(default_factory=dict)
    """What the texts of a step may ask for: `messages`, `shopping`."""

    async def recall(self, batch: Iterable[Claimed]) -> dict[tuple[int, int], Values]:
        """What became of the earlier messages of their runs, for those whose texts ask for it."""
        asking = [one for one in batch if _MESSAGES in await self._asks_for(one)]
        if not asking:
            return {}
        # A run keeps its id when its user moves to another shard, and its earlier messages stay behind.
        shards = {one.shard for one in asking} | {one.row.run_id & SHARD_MASK for one in asking}
        async with self.db.read() as session:
            found = await passages.of_runs(session, shards, {one.row.run_id for one in asking})
        return {
            one.key: values_of(found.get(one.row.run_id, ()), (one.row.step_key, one.row.created_at))
            for one in asking
        }

    async def shopping(self, batch: Iterable[Claimed]) -> dict[tuple[int, int], Values]:
        """The lives and coupons of those to whom they go, for those whose texts ask for it."""
        asking = [one for one in batch if _SHOPPING in await self._asks_for(one)]
        if not asking:
            return {}
        async with self.db.read() as session:
            return await shopping.of(session, asking)

    async def write(
        self,
        claimed: Claimed,
        fields: Mapping[str, Any],
        earlier: Values | None = None,
        bought: Values | None = None,
        limits: Limits = KAKAO,
    ) -> Message:
        """`fields` are those that the channel has, `earlier` what `recall` says, `bought` what `shopping`
        does, `limits` what the relay of an Alimtalk allows. Raises `TemplateProblem`, `Unfit`, `NoTemplate`.
        """
        row = claimed.row
        step = await self._step(row)
        whose = (str(row.project_id), claimed.shard, str(row.id))
        way_out = self.tracking.unsubscribe_url(*whose)
        values = {**self._values(claimed, way_out, bought or {}), "messages": earlier or {}}
        pen = _Pen(values, claimed.attempted_at)
        if row.template:
            said = _filled(claimed.sheet, step, pen, limits)
        else:
            said = self._rendered(claimed, step, pen, fields)
        return Message(
            reference=reference_of(claimed),
            to=_bare(row.channel, row.address),
            content={name: text for name, text in said.content.items() if name in fields},
            sent_at=claimed.attempted_at,
            headers=self.tracking.one_click_headers(way_out) if row.channel == EMAIL else {},
            variables=said.variables,
            options=said.options,
            purpose=Purpose(step.purpose),
            expires_at=row.expires_at,
        )

    def _rendered(
        self, claimed: Claimed, step: MessageStep, pen: "_Pen", fields: Mapping[str, Any]
    ) -> Written:
        known = {name: text for name, text in step.content.items() if name in fields}
        content = self._tracked({name: pen.text(name, text) for name, text in known.items()}, claimed)
        variables = {name: pen.leaf(("variables", name), text) for name, text in step.variables.items()}
        options = {name: pen.leaves(value, ("options", name)) for name, value in step.options.items()}
        return Written(content, variables, options)

    async def _asks_for(self, claimed: Claimed) -> frozenset[str]:
        row, sheet = claimed.row, claimed.sheet
        asked = await self._step_asks_for(row)
        return asked if sheet is None else asked | _asked_in(sheet.bindings.values())

    async def _step_asks_for(self, row: Any) -> frozenset[str]:
        key = (row.journey_id, row.version, row.step_key, row.fallback_of is not None)
        if key not in self._asking:
            if len(self._asking) >= _MOST_GRAPHS:
                self._asking.clear()
            texts = [text for _, text in (await self._step(row)).templates()]
            self._asking[key] = _asked_in(texts)
        return self._asking[key]

    async def _step(self, row: Any) -> MessageStep:
        step = (await self._graph(row.journey_id, row.version)).steps.get(row.step_key)
        if not isinstance(step, MessageStep):
            return _NOTHING
        return step if row.fallback_of is None else stand_in(step) or _NOTHING

    def _values(self, claimed: Claimed, unsubscribe_url: str, bought: Values) -> dict[str, object]:
        row = claimed.row
        event = orjson.loads(row.event)
        properties = event["properties"]
        return {
            "user": {**bought, **orjson.loads(row.attributes or "{}"), "id": row.user_id},
            "event": {**properties, "name": event["name"], "properties": properties},
            "journey": {"id": row.journey_id, "title": row.title},
            "project": {"name": row.project_name, "timezone": row.time_zone},
            "message": {"id": row.id},
            "voucher": {"code": claimed.voucher},
            "coupon": coupon_of(event["name"], properties, row.time_zone),
            "row": row_of(properties),
            "unsubscribe_url": unsubscribe_url,
        }

    def _tracked(self, content: dict[str, str], claimed: Claimed) -> dict[str, str]:
        row = claimed.row
        followed = [name for name in _FOLLOWED.get(row.channel, ()) if content.get(name)]
        if not followed:
            return content
        about: dict[str, Any] = {
            "project_id": str(row.project_id),
            "shard": claimed.shard,
            "message_id": str(row.id),
            "sent_at": claimed.attempted_at,
        }
        if row.channel == EMAIL:
            return {**content, HTML: self.tracking.track_html(content[HTML], **about).text}
        texts = {name: self.tracking.track_text(content[name], **about).text for name in followed}
        return {**content, **texts}

    async def _graph(self, journey_id: int, version: int) -> Graph:
        key = (journey_id, version)
        if key not in self._graphs:
            async with self.db.read() as session:
                text = await outbox.graph_text(session, journey_id, version)
            if len(self._graphs) >= _MOST_GRAPHS:
                del self._graphs[next(iter(self._graphs))]
            self._graphs[key] = read_graph(orjson.loads(text))[0]
        return self._graphs[key]


def reference_of(claimed: Claimed) -> str:
    """Our name for a message: the same at every attempt."""
    return write_reference(claimed.row.project_id, claimed.shard, claimed.row.id)


def _asked_in(texts: Iterable[str]) -> frozenset[str]:
    listed = list(texts)
    found = {_MESSAGES: any("messages" in text for text in listed)}
    found[_SHOPPING] = any(shopping.asks(text) for text in listed)
    return frozenset(name for name, asks in found.items() if asks)


def _filled(sheet: Sheet | None, step: MessageStep, pen: "_Pen", limits: Limits) -> Written:
    """The template of the project, filled; what the step says of a variable goes before its binding."""
    if sheet is None:
        raise NoTemplate
    said = {**sheet.bindings, **{bare(name): text for name, text in step.variables.items()}}
    values = {name: pen.leaf(("variables", name), said[name]) for name in sheet.variables if name in said}
    return writing.write(sheet, values, limits)


@dataclass(slots=True)
class _Pen:
    """Writes texts for one person at one time."""

    values: Mapping[str, object]
    now: Instant

    def text(self, name: str, source: str) -> str:
        written = self.leaf((name,), source, escape=name == HTML)
        # A line break in a name must not keep a letter from leaving: only bodies have lines.
        return written if name in _BODIES else " ".join(written.split())

    def leaves(self, value: Any, path: Path) -> Any:
        """The same JSON value with every text inside rendered."""
        if isinstance(value, str):
            return self.leaf(path, value)
        if isinstance(value, Mapping):
            return {name: self.leaves(inner, (*path, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.leaves(inner, (*path, index)) for index, inner in enumerate(value)]
        return value

    def leaf(self, path: Path, source: str, *, escape: bool = False) -> str:
        try:
            return render(source, self.values, escape=escape, now=self.now)
        except TemplateProblem as problem:
            where = ".".join(map(str, path))
            raise TemplateProblem(f"{where}: {problem.message}", problem.line) from problem


def _bare(channel: str, address: str) -> str:
    """Addresses of devices are kept with a scheme that says whose they are; adapters know whose they take."""
    return address.partition(":")[2] if channel == PUSH else address
