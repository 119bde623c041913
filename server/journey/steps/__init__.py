"""One small file a kind of step. A new kind is a new file, and a line in `KINDS`."""

from typing import get_args

from .delay import Delay
from .email import Email
from .entry_event import EntryEvent
from .exit import Exit
from .split import Split

Step = EntryEvent | Delay | Email | Split | Exit

KINDS: dict[str, type[Step]] = {step.kind: step for step in get_args(Step)}

__all__ = ["KINDS", "Delay", "Email", "EntryEvent", "Exit", "Split", "Step"]
