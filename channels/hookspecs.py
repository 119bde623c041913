"""Every hook on one page. A hook hands over ready objects; what is asynchronous are the methods of those."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from channels.contract import AnyChannel

PROJECT_NAME = "sojourn"

hookspec = pluggy.HookspecMarker(PROJECT_NAME)
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)


@hookspec
def register_channels() -> Iterable[AnyChannel]:
    """Hand over the channels of this plugin. Called once at start-up; a plain function, without I/O."""
