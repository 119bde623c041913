"""Ids that are the same for one value on every machine and in every run."""

from hashlib import blake2b


def digest(text: str) -> bytes:
    """128 bits that stand for a sender's message id."""
    return blake2b(text.encode(), digest_size=16).digest()


def shard_of(project_id: int, identity: str, shards: int) -> int:
    """The shard that an identity's value leads to."""
    if shards == 1:
        return 0
    hashed = blake2b(f"{project_id}:{identity}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(hashed, "big") % shards
