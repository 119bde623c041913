"""The step as which a fallback is sent: the same step, with the fallback's channel and words."""

from .alimtalk import Alimtalk
from .email import Email
from .in_app import InApp
from .message import CustomMessage
from .push import Push
from .sending import MessageStep
from .sending_rules import SendingRules
from .sms import Sms
from .webhook import Webhook
from .whatsapp import Whatsapp

_KINDS: dict[str, type[MessageStep]] = {
    kind.on: kind for kind in (Alimtalk, Email, InApp, Push, Sms, Webhook, Whatsapp)
}


def stand_in(step: MessageStep) -> MessageStep | None:
    """None if the step has no fallback."""
    fallback = step.fallback
    if fallback is None:
        return None
    rules = step.rules
    return _KINDS.get(fallback.channel, CustomMessage)(
        key=step.key,
        title=step.title,
        channel=fallback.channel,
        connection=fallback.connection,
        purpose=step.purpose,
        content=fallback.content,
        variables=fallback.variables,
        options=fallback.options,
        # It carries the same voucher, and counts against the same caps.
        rules=SendingRules(cap=rules.cap, pool=rules.pool, remember_as=rules.remember_as),
    )
