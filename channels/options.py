"""Reading the options of a message: what only one adapter understands."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from channels.contract import Message, Problem, Rejected
from channels.reasons import Reason

O = TypeVar("O", bound=BaseModel)  # noqa: E741 - O for options


def options_of(model: type[O], message: Message) -> O | Rejected:
    """The message's options, checked."""
    try:
        return model.model_validate(dict(message.options))
    except ValidationError as error:
        told = "; ".join(f"{one.path}: {one.message}" for one in problems_in(error, "options"))
        return Rejected(Reason.REQUEST_INVALID, "options", told)


def problems_in(error: ValidationError, *where: str) -> list[Problem]:
    """What was wrong, below this path, and nothing of what was typed: it may be secret."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return [Problem(".".join((*where, *map(str, one["loc"]))), one["msg"]) for one in found]
