"""Fake providers that speak the real wire formats: for tests, for the demo, for anyone."""

from channels.testing.providers.base import FakeProvider, Fault, Report, client_of
from channels.testing.providers.lives import Life, Lives, everybody, lives_of

__all__ = ["FakeProvider", "Fault", "Life", "Lives", "Report", "client_of", "everybody", "lives_of"]
