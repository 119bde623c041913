"""What both adapters say of a message that cannot leave."""

from channels import Reason, Rejected


def wrong_address() -> Rejected:
    """For an address that is no number with its country."""
    return Rejected(Reason.INVALID_RECIPIENT, text="A text message wants a number as +821012345678.")
