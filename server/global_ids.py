"""Ids as everybody outside knows them: in the API, and in files that are made of what it knows."""

from base64 import urlsafe_b64encode


def global_id(kind: str, *key: int) -> str:
    """A kind and its key, in a form that asks nobody to take it apart."""
    return urlsafe_b64encode(":".join((kind, *map(str, key))).encode()).decode().rstrip("=")
