"""Ids that are the same for one value on every machine and in every run."""

from base64 import urlsafe_b64encode
from hashlib import blake2b


def digest(text: str) -> str:
    """128 bits that stand for a sender's message id, as 22 characters."""
    hashed = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return urlsafe_b64encode(hashed)[:22].decode()


def shard_of(project_id: int, identity: str, shards: int) -> int:
    """The shard that an identity's value leads to."""
    if shards == 1:
        return 0
    hashed = blake2b(f"{project_id}:{identity}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(hashed, "big") % shards
