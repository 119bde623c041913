"""`sojourn alimtalk estimate` and `send`: a template to an audience, and what that would come to."""

from collections.abc import Callable
from typing import Any

import click

from .alimtalk_ready import alimtalk
from .asking import Ask, Data, asking, payload_of, where

__all__ = ["alimtalk"]
"""The group, with these commands in it."""
ESTIMATE = """query ($input: EstimateAlimtalkInput!) { estimateAlimtalk(input: $input) {
    __typename ... on Problem { message path }
    ... on AlimtalkEstimate { audience recipients leftOut { reason count } sampled withoutValue unfit example
        cost { amount currency } fallbackCost { amount currency } dailyCap lastDay } } }"""
SEND = """mutation ($input: SendAlimtalkInput!) { sendAlimtalk(input: $input) {
    __typename ... on Problem { message path }
    ... on SendAlimtalkPayload { journey { id title } } } }"""


def to_whom(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say who is meant."""
    for option in (
        click.option("--coupon-days", type=int, help="The coupon's last day is within so many days."),
        click.option("--coupon", multiple=True, help="Only who has a coupon of this code or name."),
        click.option("--everybody", is_flag=True, help="Also who has no user id."),
        click.option("--segment", help="Everybody of this segment."),
        click.option("--list", "listed", help="Everybody of this uploaded list."),
        click.argument("template"),
    ):
        command = option(command)
    return command


@alimtalk.command()
@to_whom
@where
def estimate(template: str, **given: Any) -> None:
    """To how many TEMPLATE would go, to whom not and why, and what it would cost."""
    audience, whom = _apart(given)

    async def work(ask: Ask) -> Data:
        answer = await ask(ESTIMATE, input={"template": template, "audience": audience})
        return payload_of(answer["estimateAlimtalk"])

    _tell(asking(work, **whom))


@alimtalk.command()
@to_whom
@click.option("--title", help="What people call it; the template's key by default.")
@click.option("--key", help="An idempotency key: sent twice it goes once.")
@where
def send(template: str, title: str | None, key: str | None, **given: Any) -> None:
    """Sends TEMPLATE to an audience at once."""
    audience, whom = _apart(given)

    async def work(ask: Ask) -> Data:
        wish = {"title": title or template, "template": template, "audience": audience}
        answer = await ask(SEND, input={**wish, "idempotencyKey": key})
        return payload_of(answer["sendAlimtalk"])

    journey = asking(work, **whom)["journey"]
    click.echo(f"{journey['title']} is under way as the journey {journey['id']}.")


def _apart(given: dict[str, Any]) -> tuple[Data, dict[str, Any]]:
    """Who is meant, and who is asked."""
    names, days = list(given.pop("coupon")), given.pop("coupon_days")
    audience: Data = {
        "list": given.pop("listed"),
        "segment": given.pop("segment"),
        "members": not given.pop("everybody"),
    }
    if names or days is not None:
        audience["coupon"] = {"coupons": names or None, "expiresWithinDays": days}
    return audience, given


def _tell(found: Data) -> None:
    click.echo(f"{found['recipients']} of {found['audience']} would be sent to.")
    for one in found["leftOut"]:
        click.echo(f"  {one['count']} not: {one['reason'].lower().replace('_', ' ')}")
    tried = f"{found['withoutValue']} lack a value, {found['unfit']} would be refused"
    click.echo(f"Of {found['sampled']} that were filled to try it, {tried}.")
    for name, title in (("cost", "All of them cost"), ("fallbackCost", "As long text messages they cost")):
        if found[name]:
            click.echo(f"{title} {found[name]['amount']} {found[name]['currency']}.")
    if found["dailyCap"]:
        click.echo(f"At {found['dailyCap']} a day the last leaves on {found['lastDay']}.")
    if found["example"]:
        click.echo(found["example"])
