"""Fake providers of text messages that speak the real wire formats: for tests, for the demo, for anyone."""

from sojourn_sms.testing.solapi import FakeSolapiSms, a_jpeg
from sojourn_sms.testing.twilio import FakeTwilio

__all__ = ["FakeSolapiSms", "FakeTwilio", "a_jpeg"]
