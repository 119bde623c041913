"""`sojourn prices`: what messages cost, by the project's own list."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from server.clock import WallClock, to_datetime

from .running import in_project, of_database, of_project


@click.group()
def prices() -> None:
    """What messages cost by the project's price list (docs/costs.md)."""


@prices.command("list")
@of_project
@of_database
def list_prices(project_id: int | None, database: str | None) -> None:
    """What holds, what held, and what will."""

    async def work(db: Any, chosen: int, shards: int) -> list[Any]:
        from server.store import prices as store

        async with db.read() as session:
            return list((await store.of_project(session, chosen)).by_id.values())

    found = in_project(work, project_id, database)
    for one in sorted(found, key=lambda one: (one.channel, one.kind, one.valid_from)):
        click.echo(_line(one))
    if not found:
        click.echo("No prices yet: `sojourn prices set kakao 8 --kind alimtalk`.")


@prices.command("set")
@click.argument("channel")
@click.argument("amount")
@click.option("--kind", default="", help="alimtalk, sms, lms, mms …; any if left out.")
@click.option("--connection", "connection_id", type=int, help="Through this connection alone, by its number.")
@click.option("--currency", default="KRW", show_default=True)
@click.option("--vat", default="10", show_default=True, help="Per cent that come on top.")
@click.option("--from", "since", help="When it begins, e.g. 2026-12-01T00:00:00+09:00; now if left out.")
@of_project
@of_database
def set_price(
    channel: str,
    amount: str,
    kind: str,
    connection_id: int | None,
    currency: str,
    vat: str,
    since: str | None,
    project_id: int | None,
    database: str | None,
) -> None:
    """Sets what a message on CHANNEL costs without VAT: AMOUNT. The former price ends there."""
    money = (_decimal(amount), currency, _decimal(vat))
    at = _instant(since)

    async def work(db: Any, chosen: int, shards: int) -> Any:
        from server.errors import BadInput
        from server.resolvers import prices as resolve
        from server.resolvers.refusals import Refusal
        from server.store import prices as store

        now = WallClock().now()
        try:
            slot, price = resolve.checked(resolve.NewPrice(channel, connection_id, kind, *money, at))
            async with db.write() as session:
                await resolve.refuse_foreign(session, chosen, slot)
                entry = await resolve.store(session, chosen, slot, price, (now if at is None else at, now))
                return await store.by_id(session, chosen, entry)
        except Refusal as error:
            raise BadInput(error.message) from error

    click.echo(_line(in_project(work, project_id, database)))


@prices.command("presets")
def list_presets() -> None:
    """Price lists that somebody has published. None of them holds by itself."""
    from server.delivery.price_presets import presets

    for one in presets():
        click.echo(f"{one.key}  {one.title}\n  {one.source} ({one.published}). {one.note}")
        for line in one.prices:
            click.echo(f"  {line.channel:14} {line.kind or 'any':10} {line.amount} {one.currency}")


def _line(one: Any) -> str:
    where = f"connection {one.connection_id}" if one.connection_id is not None else "any connection"
    amount = f"{Decimal(one.amount) / 10_000:f} {one.currency} + {Decimal(one.vat_rate) / 100:f} % VAT"
    until = to_datetime(one.valid_until).isoformat() if one.valid_until is not None else "…"
    since = to_datetime(one.valid_from).isoformat()
    return f"{one.channel:14} {one.kind or 'any':12} {where:16} {amount:24} {since} – {until}"


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise click.BadParameter(f"a number was wanted, found {text!r}") from error


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"a time was wanted, found {text!r}") from error
    if found.tzinfo is None:
        raise click.BadParameter("a time needs its zone, e.g. 2026-12-01T00:00:00+09:00")
    return int(found.timestamp() * 1000)
