"""A provider that is not there, and the proof that a channel keeps the contract. For us and for everyone."""

from channels.testing.callbacks import signed_callback
from channels.testing.check import ChannelCheck, check, check_channel
from channels.testing.desk_evidence import DeskEvidence
from channels.testing.evidence import NOW, Evidence, Proof
from channels.testing.fake import FakeChannel, FakeSender
from channels.testing.fates import FakeSettings
from channels.testing.script import Fault, Hang, Script

__all__ = [
    "NOW",
    "ChannelCheck",
    "DeskEvidence",
    "Evidence",
    "FakeChannel",
    "FakeSender",
    "FakeSettings",
    "Fault",
    "Hang",
    "Proof",
    "Script",
    "check",
    "check_channel",
    "signed_callback",
]
