"""Prices as providers write them: exact, or not at all."""

from decimal import Decimal
from typing import Any

import pytest

from channels import Price
from channels.prices import read_price


@pytest.mark.parametrize(
    ("amount", "currency", "wanted"),
    [
        ("0.0079", "USD", Price(Decimal("0.0079"), "USD")),
        ("-0.00750", "usd", Price(Decimal("0.00750"), "USD")),
        (8.4, "KRW", Price(Decimal("8.4"), "KRW")),
        (0, "KRW", Price(Decimal(0), "KRW")),
        (" 12 ", " eur ", Price(Decimal(12), "EUR")),
    ],
)
def test_a_price_is_read_exactly(amount: Any, currency: Any, wanted: Price) -> None:
    assert read_price(amount, currency) == wanted


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        *((amount, "KRW") for amount in (None, "", "free", "NaN", "Infinity", True, [], {}, "1e400", 10**11)),
        *(("1", currency) for currency in (None, "", "₩", "KR", "KRWX", "K1W", 410, [])),
    ],
)
def test_what_is_no_price_is_none(amount: Any, currency: Any) -> None:
    assert read_price(amount, currency) is None


@pytest.mark.parametrize("amount", [1.5, "1", Decimal(-1), Decimal("Infinity"), None])
def test_an_adapter_cannot_make_a_price_that_is_none(amount: Any) -> None:
    with pytest.raises(ValueError, match="a price is"):
        Price(amount, "KRW")
    with pytest.raises(ValueError, match="capital letters"):
        Price(Decimal(1), "krw")
