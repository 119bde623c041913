"""The API on both databases, and on SQLite only."""

from tests.server.schema.conftest import api, small_api

__all__ = ["api", "small_api"]
