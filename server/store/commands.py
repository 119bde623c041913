"""The names of commands that others than the engine put into a shard's inbox, beside the journeys' own."""

REMOVE = "remove"
"""Takes users out of some journeys, or of all."""
MOVE = "move"
"""Moves the people inside a journey to its new version, as it was published."""
ERASE = "erase"
"""Forgets a person."""
