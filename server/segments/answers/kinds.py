"""Which questions sets can answer, and by what. A new one is a file in this room and a line here."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from server.journey.audience import EVENT, CameTo, Happened, HasAttribute, InList, IsInside
from server.journey.audience.coupons import HasCoupon
from server.journey.audience.journeys import OF_JOURNEYS
from server.journey.audience.messages import MESSAGE
from server.journey.audience.purchases import Bought, SignedUp, Spent
from server.journey.audience.visits import VISIT

from . import attributes, commerce, deeds, journeys, known
from .pairs import Asking, Pairs

Answer = Callable[[Asking, Any], Awaitable[Pairs]]

BY_TYPE: Mapping[type[Any], Answer] = {
    HasAttribute: attributes.answer,
    InList: known.answer_list,
    IsInside: journeys.answer_inside,
    Bought: commerce.answer_bought,
    Spent: commerce.answer_spent,
    SignedUp: commerce.answer_signed_up,
    HasCoupon: commerce.answer_coupon,
}
BY_FACTS: Mapping[tuple[type[Any], str], Answer] = {
    (Happened, EVENT): deeds.answer_happened,
    (Happened, VISIT): deeds.answer_happened,
    (CameTo, EVENT): deeds.answer_amount,
    **{(Happened, kind): journeys.answer_happened for kind in (*OF_JOURNEYS, MESSAGE)},
}
"""By the kind of facts that a question asks for."""


def answer_of(question: Any) -> Answer | None:
    """What answers it; none if only each person can be asked."""
    found = BY_TYPE.get(type(question))
    if found is None and isinstance(question, Happened | CameTo):
        found = BY_FACTS.get((type(question), question.facts.kind))
    return found
