"""Price lists that somebody has published, ready to be taken over. Nothing holds unless it is."""

import tomllib
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, NamedTuple


class PresetPrice(NamedTuple):
    """One line of such a list."""

    channel: str
    kind: str
    amount: Decimal


class Preset(NamedTuple):
    """A published price list, with where and when it was read."""

    key: str
    title: str
    source: str
    published: str
    note: str
    currency: str
    vat_percent: Decimal
    prices: tuple[PresetPrice, ...]


@cache
def presets() -> Sequence[Preset]:
    read = tomllib.loads(resources.files(__package__).joinpath("price_presets.toml").read_text("utf-8"))
    return tuple(_preset(one) for one in read["preset"])


def _preset(read: dict[str, Any]) -> Preset:
    lines = [PresetPrice(one["channel"], one["kind"], Decimal(one["amount"])) for one in read["prices"]]
    return Preset(**{**read, "vat_percent": Decimal(read["vat_percent"]), "prices": tuple(lines)})
