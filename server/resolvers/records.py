"""What is stored, by its glossary word: what resolvers hand out, and shapes are made from."""

from server.store.tables import (
    ConnectionHealth,
    Consent,
    Conversion,
    Endpoint,
    Identity,
    Journey,
    Message,
    Notice,
    Project,
    Receipt,
    Run,
    Suppression,
    User,
    Version,
    Visit,
)

__all__ = [
    "ConnectionHealth",
    "Consent",
    "Conversion",
    "Endpoint",
    "Identity",
    "Journey",
    "Message",
    "Notice",
    "Project",
    "Receipt",
    "Run",
    "Suppression",
    "User",
    "Version",
    "Visit",
]
