"""The engine room of Sojourn: what comes in, what happens, what goes out, and the answers about it."""

__version__ = "0.1.0"
