"""Amounts and currencies as shops write them. What cannot be read is none; it is never an error."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

from server.journey.goals import AMOUNT_SCALE

LARGEST = 10**10
"""Of one order, in the currency's unit. Sums are kept in 64 bits."""
MOST = (1 << 62) - 1
"""Where a sum of amounts stops, in ten-thousandths: two such sums still make a number of 64 bits. Amounts are
never negative, so what stops here comes to the same in whatever order it is added up."""
_LONGEST = 40

_WRITTEN = re.compile(r"[^\d+.,-]{0,4}([+-]?)[^\d+.,-]{0,4}(\d[\d,]*(?:\.\d+)?|\.\d+)\s*[^\W\d_]{0,4}\.?")
"""A sign of a currency before it, its name behind: ₩12,000, -$5, 12,000원, KRW 12000."""
_GROUPS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def read_amount(value: Any) -> int | None:
    """An amount in ten-thousandths of the currency's unit; none if it cannot be read, or is absurd."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    number = _plain(value) if isinstance(value, str) else str(value)
    if number is None:
        return None
    try:
        amount = Decimal(number)
    except (InvalidOperation, ValueError):
        return None
    if not amount.is_finite() or amount.copy_abs() > LARGEST:
        return None
    return int((amount * AMOUNT_SCALE).to_integral_value())


def is_absurd(amount: int) -> bool:
    """Whether so many ten-thousandths are more than an order can come to."""
    return abs(amount) > LARGEST * AMOUNT_SCALE


def _plain(text: str) -> str | None:
    """The number in a text: without a currency, and without commas between thousands."""
    if len(text) > _LONGEST:
        return None
    text = unicodedata.normalize("NFKC", text).strip()
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return text if _is_scientific(text) else None
    sign, digits = found.groups()
    if "," in digits and not _GROUPS.fullmatch(digits):
        # 1,5 may be one and a half somewhere: a wrong amount is worse than none.
        return None
    return sign + digits.replace(",", "")


def _is_scientific(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d+)?[eE][+-]?\d{1,3}", text, re.ASCII) is not None


def read_currency(value: Any) -> str:
    """A currency by its three letters, e.g. KRW; empty if it is none."""
    text = value.strip().upper() if isinstance(value, str) and len(value) <= _LONGEST else ""
    return text if _CURRENCY.fullmatch(text) else ""
