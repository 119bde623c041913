"""Attributes: any comparison is made once for each different value, and not for each person."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson
from pyroaring import BitMap

from server.aggregates import attribute_reading
from server.aggregates.attribute_sets import EVERYBODY, MORE, NO_JSON, OTHERS, OURS, written_as
from server.journey.audience import HasAttribute
from server.journey.conditions import holds
from server.journey.moment import Predicate

from .pairs import Asking, Pair, Pairs, united

Values = Mapping[str, BitMap]
"""Who has which value of an attribute, in a shard."""


async def answer(asking: Asking, question: HasAttribute) -> Pairs:
    predicate = question.predicate
    names = {predicate.name, predicate.name.partition(".")[0]}
    found: defaultdict[tuple[int, str], dict[str, BitMap]] = defaultdict(dict)
    sets = await attribute_reading.read(asking.session, asking.project_id, asking.shards, names)
    for place, users in sets.items():
        found[place.shard, place.name][place.value] = users

    def here(shard: int, all: BitMap) -> Pair:
        if (shard, OURS, EVERYBODY) not in asking.known:
            return Pair(BitMap(), all)
        more = asking.known.get((shard, OURS, MORE), BitMap())
        return _asked(predicate, {name: found[shard, name] for name in names}, more, all)

    return asking.each(here)


def _asked(predicate: Predicate, values: Mapping[str, Values], more: BitMap, all: BitMap) -> Pair:
    """An attribute of just that name is meant first; else a dotted name looks into an object."""
    name = predicate.name
    pair, having = _by_value(predicate, name, values[name])
    hidden = BitMap() if values[name] else more
    outer = name.partition(".")[0]
    if outer != name:
        inside, has_outer = _by_value(predicate, outer, values[outer])
        pair = Pair(pair.surely | (inside.surely - having), pair.perhaps | (inside.perhaps - having))
        having = having | has_outer
        hidden = more if not (values[name] and values[outer]) else BitMap()
    if holds(predicate, {}):
        pair = Pair(pair.surely | (all - having), pair.perhaps | (all - having))
    # Whoever has attributes beyond those that have sets may have this one among them.
    return Pair(pair.surely - hidden, pair.perhaps | hidden)


def _by_value(predicate: Predicate, name: str, values: Values) -> tuple[Pair, BitMap]:
    """Who meets it by this attribute, and who has it at all."""
    meeting = [
        users
        for value, users in values.items()
        if not value.startswith(NO_JSON) and holds(predicate, {name: orjson.loads(value)})
    ]
    surely, others = united(meeting), values.get(OTHERS, BitMap())
    perhaps = surely | others
    if name == predicate.name and others and _all_listed(predicate, values):
        # None of the others has one of the values that are asked for.
        if predicate.operator == "not_equals":
            surely = perhaps
        elif predicate.operator in ("equals", "one_of"):
            perhaps = surely
    return Pair(surely, perhaps), united(values.values())


def _all_listed(predicate: Predicate, values: Values) -> bool:
    wanted = predicate.value if predicate.operator == "one_of" else [predicate.value]
    return all(_is_plain(one) and written_as(one) in values for one in wanted)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)
