"""One small file a kind of step. A new kind is a new file, and a line in `Step`."""

from collections.abc import Mapping
from typing import Any, get_args

from .ab_split import AbSplit
from .alimtalk import Alimtalk
from .brand_message import BrandMessage
from .delay import Delay
from .email import Email
from .entry_api import EntryApi
from .entry_audience import EntryAudience
from .entry_event import EntryEvent
from .exit import Exit
from .go_to_journey import GoToJourney
from .in_app import InApp
from .message import CustomMessage
from .push import Push
from .random_split import RandomSplit
from .reachability import Reachability
from .sending import MessageStep
from .sms import Sms
from .split import Split
from .standing_in import stand_in
from .time_window import TimeWindow
from .update_user import UpdateUser
from .wait import WaitForTrigger
from .webhook import Webhook
from .whatsapp import Whatsapp

Step = (
    EntryEvent
    | EntryAudience
    | EntryApi
    | Delay
    | TimeWindow
    | WaitForTrigger
    | Split
    | AbSplit
    | RandomSplit
    | Reachability
    | UpdateUser
    | Email
    | Push
    | Sms
    | Whatsapp
    | Alimtalk
    | BrandMessage
    | InApp
    | Webhook
    | CustomMessage
    | GoToJourney
    | Exit
)

KINDS: dict[str, type[Step]] = {step.kind: step for step in get_args(Step)}
MESSAGES: dict[str, type[MessageStep]] = {
    kind: step for kind, step in KINDS.items() if issubclass(step, MessageStep)
}
"""Those that send."""
CHANNELS = frozenset(step.on for step in MESSAGES.values() if step.on)
"""Those that have a step of their own. A connection may bring others."""


def channel_of(data: Mapping[str, Any]) -> str | None:
    """The channel of a step in its plain data; None if it sends nothing."""
    kind = MESSAGES.get(data["kind"])
    return (kind.on or str(data.get("channel", ""))) if kind else None


__all__ = [
    "CHANNELS",
    "KINDS",
    "MESSAGES",
    "AbSplit",
    "Alimtalk",
    "BrandMessage",
    "CustomMessage",
    "Delay",
    "Email",
    "EntryApi",
    "EntryAudience",
    "EntryEvent",
    "Exit",
    "GoToJourney",
    "InApp",
    "MessageStep",
    "Push",
    "RandomSplit",
    "Reachability",
    "Sms",
    "Split",
    "Step",
    "TimeWindow",
    "UpdateUser",
    "WaitForTrigger",
    "Webhook",
    "Whatsapp",
    "channel_of",
    "stand_in",
]
