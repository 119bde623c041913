"""The filters of our own: `money` and `date`."""

import re
from datetime import UTC, datetime, timedelta
from datetime import date as Day
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from liquid.context import RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import is_undefined

from server.ingest.segment_time import to_instant

# Currency: what goes before the amount, what goes after it, how many decimals.
_CURRENCIES = {
    "KRW": ("", "원", 0),
    "JPY": ("¥", "", 0),
    "USD": ("$", "", 2),
    "EUR": ("€", "", 2),
    "GBP": ("£", "", 2),
    "CNY": ("CN¥", "", 2),
}
_MAX_AMOUNT = Decimal(10) ** 18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The directives that mean the same everywhere; no widths, which could make a text of any length.
_FORMAT = re.compile(r"(?:[^%]|%-?[aAbBdeHIjmMpSuwyYFTDRZz%])*")
_MAX_FORMAT_CHARS = 100


def money(amount: Any, currency: Any = None) -> str:
    """`12000 | money: "KRW"` → 12,000원, `9.5 | money: "USD"` → $9.50, `12000 | money` → 12,000.

    Amounts round half up to the currency's decimals. A currency without a sign of its own follows the amount:
    12,000.00 SEK. What is missing stays empty.
    """
    if amount is None or amount == "" or is_undefined(amount):
        return ""
    number = _amount(amount)
    if currency is None or is_undefined(currency):
        return f"{number.normalize():,f}"
    code = str(currency).upper()
    if not re.fullmatch("[A-Z]{3}", code):
        raise FilterArgumentError(
            f"money wants a currency such as KRW, found {str(currency)[:20]!r}", token=None
        )
    before, after, decimals = _CURRENCIES.get(code, ("", f" {code}", 2))
    number = number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return f"{'-' if number < 0 else ''}{before}{abs(number):,f}{after}"


@with_context
def date(value: Any, form: Any = "%Y-%m-%d", zone: Any = None, *, context: RenderContext) -> str:
    """`event.at | date: "%Y-%m-%d %H:%M", "Asia/Seoul"`; without a zone the project's `timezone`, or UTC.

    Reads what the tracking API reads: ISO 8601 texts and epoch numbers in seconds or milliseconds, and "now".
    A day without a time (2026-12-25) is that day in every zone. What is missing stays empty; what is no time
    stays as it is.
    """
    if value is None or value == "" or is_undefined(value):
        return ""
    if not isinstance(form, str) or len(form) > _MAX_FORMAT_CHARS or not _FORMAT.fullmatch(form):
        raise FilterArgumentError("date wants a format such as '%Y-%m-%d %H:%M'", token=None)
    moment = _moment(value, context)
    if moment is None:
        return str(value)
    if isinstance(moment, datetime):
        moment = moment.astimezone(_zone(zone, context))
    return moment.strftime(form)


def _amount(amount: Any) -> Decimal:
    try:
        number = Decimal(str(amount))
    except InvalidOperation as error:
        raise FilterArgumentError("money wants a number, found none", token=None) from error
    if (
        isinstance(amount, bool)
        or not number.is_finite()
        or abs(number) > _MAX_AMOUNT
        or _decimals(number) > 18
    ):
        raise FilterArgumentError("money wants a number of at most 18 digits, found another", token=None)
    return number


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _moment(value: Any, context: RenderContext) -> datetime | Day | None:
    if value in ("now", "today"):
        at = getattr(context, "now", None)
        if at is None:
            raise FilterArgumentError("date was not told what time it is now", token=None)
    else:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return _day(value)
        at = to_instant(value)
    return None if at is None else _EPOCH + timedelta(milliseconds=at)


def _day(value: str) -> Day | None:
    try:
        return Day.fromisoformat(value)
    except ValueError:
        return None


def _zone(named: Any, context: RenderContext) -> ZoneInfo:
    project = context.globals.get("project")
    if named is None or is_undefined(named):
        named = (project.get("timezone") if isinstance(project, dict) else None) or "UTC"
    try:
        return ZoneInfo(str(named))
    except (ValueError, LookupError, OSError) as error:
        raise FilterArgumentError(
            "date wants a zone such as Asia/Seoul, found another", token=None
        ) from error
