"""Prices as providers write them."""

from decimal import Decimal, InvalidOperation
from typing import Any

from channels.contract import Price


def read_price(amount: Any, currency: Any) -> Price | None:
    """The price in these words or numbers; none if they tell none that we understand.

    Some providers write what they charge as a negative amount: as what is taken from the account.
    """
    if isinstance(amount, bool) or not isinstance(amount, int | float | str | Decimal):
        return None
    try:
        return Price(abs(Decimal(str(amount).strip())), str(currency).strip().upper())
    except (InvalidOperation, ValueError):
        return None
