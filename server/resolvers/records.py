"""What is stored, by its glossary word: what resolvers hand out, and shapes are made from."""

from server.store.tables import (
    Conversion,
    Endpoint,
    Identity,
    Journey,
    Message,
    Project,
    Receipt,
    Run,
    User,
    Version,
    Visit,
)

__all__ = [
    "Conversion",
    "Endpoint",
    "Identity",
    "Journey",
    "Message",
    "Project",
    "Receipt",
    "Run",
    "User",
    "Version",
    "Visit",
]
