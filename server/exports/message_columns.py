"""What is told of messages: of a channel, of all channels, of one step. The same for each, by data."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from server.aggregates.channel_metrics import LEFT_OUT
from server.aggregates.messages import TOLD, WHOLES
from server.aggregates.metrics import DEFINITIONS
from server.aggregates.metrics import Metric as M

from .campaign import Campaign, Messages
from .figure import Figure, count, money, number, ratio, text
from .words import ACTORS, CHANNELS, MESSAGES, Word

_SENTENCES = {definition.metric: definition.sentence for definition in DEFINITIONS}
# As a whole they are of whomever.
_SENTENCES[M.OPENED] = "Messages opened at least once, by whomever."
_SENTENCES[M.CLICKED] = "Messages clicked at least once, by whomever."
_WHOSE = (M.OPENED, M.CLICKED)
_ALL = Word("총", "Total")


def of_metric(metric: M) -> Figure[Messages]:
    word = MESSAGES[metric]
    return count(metric.value, word.ko, word.en, _SENTENCES[metric], lambda these: these.told(metric))


RECIPIENTS: Figure[Messages] = count(
    "recipients",
    "수신자",
    "Recipients",
    "Different users to whom a message was sent.",
    lambda these: these.users(M.SENT),
)
CTR: Figure[Messages] = ratio(
    "ctr",
    "CTR",
    "CTR",
    "Messages clicked at least once, by messages sent.",
    lambda these: these.rate(M.CLICKED),
)


def _cost(these: Messages) -> Decimal | None:
    return money(*these.costs.values()) if len(these.costs) == 1 else None


def _vat(these: Messages) -> Decimal | None:
    return money(*these.vats.values()) if len(these.costs) == 1 and these.vats else None


COSTS: tuple[Figure[Messages], ...] = (
    count(
        "priced",
        "단가 확인",
        "Priced",
        "Messages of which the price is known: told by the provider, or booked by the price list.",
        lambda these: these.priced,
    ),
    number(
        "cost",
        "발송 비용",
        "Cost",
        "What those of `priced` cost without VAT; empty if there are none, or currencies differ.",
        _cost,
    ),
    text(
        "cost_currency",
        "발송 비용 통화",
        "Cost currency",
        "Of the cost; several if they differ.",
        lambda these: ", ".join(these.costs) or None,
    ),
    number(
        "cost_vat",
        "발송 비용 부가세",
        "Cost VAT",
        "VAT on what the price list says of those of `priced`; empty as `cost` is.",
        _vat,
    ),
    count(
        "not_booked",
        "비용 미확정",
        "Not booked",
        "Messages that went out and have no cost yet: their outcome is open, or the price list has none.",
        lambda these: these.unbilled,
    ),
)


def metrics_of(channel: str | None) -> list[M]:
    """The columns of a channel do not depend on what its connections can tell today."""
    left_out = LEFT_OUT.get(channel, frozenset()) if channel else frozenset()
    return [metric for metric in TOLD if metric not in left_out]


def counts_of(channel: str | None) -> Iterator[Figure[Messages]]:
    """Everything that is counted on a channel, or on all."""
    for metric in metrics_of(channel):
        yield of_metric(metric)
        if metric is M.SENT and channel:
            yield RECIPIENTS
        if metric in _WHOSE:
            yield from (_by(actor, metric) for actor in ACTORS)
        if metric is M.CLICKS and channel:
            yield CTR
    yield from COSTS


def figures_of(channel: str) -> Iterator[Figure[Messages]]:
    """The same with different users, and each with its rate."""
    for figure in counts_of(channel):
        if figure is CTR:
            # It is the rate of clicked messages, and that is there.
            continue
        yield figure
        yield from _more_of(figure.column.name)


def _more_of(name: str) -> Iterator[Figure[Messages]]:
    metric = _METRICS.get(name)
    if metric in _WHOSE:
        yield _users_of(metric)
    if metric is not None and metric in WHOLES:
        yield rate_of(metric)


def rate_of(metric: M) -> Figure[Messages]:
    word, base = MESSAGES[metric], MESSAGES[WHOLES[metric]]
    return ratio(
        f"{metric}_rate",
        f"{word.ko}률({base.ko} 기준)",
        f"{word.en}, of {base.en.lower()}",
        f"`{metric}` by `{WHOLES[metric]}`.",
        lambda these: these.rate(metric),
    )


_METRICS = {metric.value: metric for metric in TOLD}


def _users_of(metric: M) -> Figure[Messages]:
    word = MESSAGES[metric]
    return count(
        f"{metric}_users",
        f"{word.ko} 사용자",
        f"{word.en}: users",
        "The different users of these messages.",
        lambda these: these.users(metric),
    )


def _by(actor: str, metric: M) -> Figure[Messages]:
    word, who = MESSAGES[metric], ACTORS[actor]
    return count(
        f"{metric}_{actor}",
        f"{word.ko}({who.ko})",
        f"{word.en} ({who.en.lower()})",
        f"Those of `{metric}` by this kind of actor; one message can have several.",
        lambda these: these.by(actor, metric),
    )


def on_channel(channel: str) -> Iterable[Figure[Campaign]]:
    """What is counted on a channel, in the row of a journey."""
    return (in_row(figure, channel) for figure in counts_of(channel))


def on_all_channels() -> Iterable[Figure[Campaign]]:
    """The same of all channels together."""
    return (_named(figure, "total", _ALL, lambda row: row.messages) for figure in counts_of(None))


def in_row(figure: Figure[Messages], channel: str) -> Figure[Campaign]:
    word = CHANNELS.get(channel) or Word(channel, channel)
    return _named(figure, channel, word, lambda row: row.on(channel))


def _named(
    figure: Figure[Messages], name: str, word: Word, which: Callable[[Campaign], Messages]
) -> Figure[Campaign]:
    column = figure.column
    en = column.en if column.en.isupper() else column.en[0].lower() + column.en[1:]
    whole = replace(column, name=f"{name}_{column.name}", ko=f"{word.ko} {column.ko}", en=f"{word.en} {en}")
    return Figure(whole, figure.says, lambda row: figure.of(which(row)))
