"""What is stored, by its glossary word: what resolvers hand out, and shapes are made from."""

from server.store.tables import (
    ConnectionHealth,
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
    "ConnectionHealth",
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
