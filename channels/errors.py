"""Every way a channel can fail to be what we hoped. How a message ended is never here: that is an `Outcome`.

ChannelError
├── CannotOpen               at start-up; the server does not start
│   ├── BrokenPlugin         it cannot be imported, or offers no channel
│   ├── UnknownHook          it implements a hook that does not exist
│   ├── NotAChannel          what it handed over lacks a part of the contract
│   ├── UnsupportedContract  it was written for another version of the contract
│   └── DuplicateChannel     two plugins claim one key
├── Misconfigured            the settings of a connection; theirs to fix before it opens
├── PollFailed               the provider could not be asked; try later
└── ContractBroken           `channels.testing.check_channel` found something
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channels.contract import Problem


class ChannelError(Exception):
    """The root of the family."""


class CannotOpen(ChannelError):
    """The set of plugins is not usable as it stands. The message names the plugin and what to do."""


class BrokenPlugin(CannotOpen):
    """A plugin cannot be imported, or offers no channel."""


class UnknownHook(CannotOpen):
    """A plugin implements a hook that does not exist, most often one that is misspelt."""


class NotAChannel(CannotOpen):
    """A plugin handed over something that lacks a part of the contract."""


class UnsupportedContract(CannotOpen):
    """A channel was written for a version of the contract that this server does not speak."""


class DuplicateChannel(CannotOpen):
    """Two plugins claim one key, and stored facts could not tell them apart."""

    def __init__(self, key: str, first: str, second: str) -> None:
        super().__init__(
            f"Two channels are called {key!r}: one from {first}, one from {second}. "
            "Remove one of them, or give it another key."
        )
        self.key = key
        self.sources = (first, second)


class Misconfigured(ChannelError):
    """The settings of a connection cannot work; `problems` says which and why."""

    def __init__(self, key: str, problems: Sequence[Problem]) -> None:
        told = "; ".join(f"{problem.path or 'settings'}: {problem.message}" for problem in problems)
        super().__init__(f"The settings of channel {key!r} cannot work. {told}")
        self.key = key
        self.problems = tuple(problems)


class PollFailed(ChannelError):
    """The provider could not be asked for receipts. Nothing is lost: ask again with the same cursor."""


class ContractBroken(ChannelError, AssertionError):
    """A channel does not keep the contract; `findings` lists every way in which it does not."""

    def __init__(self, key: str, findings: Sequence[str]) -> None:
        told = "".join(f"\n  - {finding}" for finding in findings)
        super().__init__(f"Channel {key!r} does not keep the contract:{told}")
        self.findings = tuple(findings)
