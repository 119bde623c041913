"""Every kind of export by its name. A new one is a file in this room and a line here."""

from typing import Any

from .campaigns import CAMPAIGNS
from .channel import CHANNEL
from .goals import GOALS
from .message import MESSAGE
from .run_list import RUN_LIST
from .sheets import Kind

_ALL: tuple[Kind[Any], ...] = (RUN_LIST, CAMPAIGNS, GOALS, CHANNEL, MESSAGE)

KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in _ALL}
