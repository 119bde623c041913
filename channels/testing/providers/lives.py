"""The lives behind addresses, where the fake providers look for them."""

from channels.testing.lives import Life, Lives, everybody, lives_of

__all__ = ["Life", "Lives", "everybody", "lives_of"]
