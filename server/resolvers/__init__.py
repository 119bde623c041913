"""Fetch for a field, and do for a mutation: plain async functions of a context and values."""
