"""Keeps facts append-only, state true, and aggregates rebuildable, on SQLite and PostgreSQL alike."""
