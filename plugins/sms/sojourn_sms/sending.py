"""What both adapters say of a message that cannot leave."""

from pydantic import ValidationError

from channels import Reason, Rejected


def wrong_address() -> Rejected:
    """For an address that is no number with its country."""
    return Rejected(Reason.INVALID_RECIPIENT, text="A text message wants a number as +821012345678.")


def told(error: ValidationError) -> str:
    """The first thing that is wrong with a message's options, without the value itself."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"options.{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
