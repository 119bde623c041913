"""Opaque global ids: a kind and its key, in a form that asks nobody to take it apart."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass

import strawberry

from server.errors import BadInput
from server.global_ids import global_id

KINDS = {
    "Journey": 1,
    "Version": 2,
    "Run": 1,
    "User": 2,
    "Message": 2,
    "Connection": 1,
    "Notice": 1,
    "Segment": 1,
    "UserList": 1,
    "EntryRequest": 1,
    "VoucherPool": 1,
    "Export": 1,
    "SavedCohortReport": 1,
    "AlimtalkTemplate": 1,
    "AlimtalkRegistration": 1,
    "SenderProfile": 1,
    "Price": 1,
}
"""Every kind of node and of how many numbers its key is made."""

_LONGEST = 120
_SHORT = frozenset(KINDS) - {"Run", "User", "Message"}
"""Kinds whose numbers the database counts in 32 bits; it fails over longer ones."""


@dataclass(frozen=True, slots=True)
class GlobalId:
    kind: str
    key: tuple[int, ...]


def to_id(kind: str, *key: int) -> strawberry.ID:
    return strawberry.ID(global_id(kind, *key))


def read_id(text: str) -> GlobalId:
    """Raises BadInput for what is not an id of ours."""
    try:
        padded = text + "=" * (-len(text) % 4)
        kind, *parts = urlsafe_b64decode(padded[:_LONGEST].encode("ascii")).decode("ascii").split(":")
        key = tuple(int(part) for part in parts)
    except ValueError as error:
        raise _foreign(text) from error
    # Written anew it must be the same: nothing has two ids, and no number is too long to be stored.
    end = 2**31 if kind in _SHORT else 2**63
    known = KINDS.get(kind) == len(key) and all(0 <= part < end for part in key)
    if not known or to_id(kind, *key) != text:
        raise _foreign(text)
    return GlobalId(kind, key)


def key_in(text: str, kind: str) -> tuple[int, ...]:
    """The key in an id of this kind. Raises BadInput for an id of another."""
    found = read_id(text)
    if found.kind != kind:
        raise BadInput(f"The id of a {kind} was wanted, found that of a {found.kind}.")
    return found.key


def _foreign(text: str) -> BadInput:
    return BadInput(f"{text[:_LONGEST]!r} is not an id of this API. Hand back ids as they were handed out.")
