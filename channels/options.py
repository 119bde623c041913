"""Reading the options of a message: what only one adapter understands."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from channels.contract import Message, Rejected
from channels.reasons import Reason

O = TypeVar("O", bound=BaseModel)  # noqa: E741


def options_of(model: type[O], message: Message) -> O | Rejected:
    """The message's options, checked."""
    try:
        return model.model_validate(dict(message.options))
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(['options', *map(str, one['loc'])])}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False, include_context=False)
        )
        return Rejected(Reason.REQUEST_INVALID, "options", told)
