"""Keyed hashes of visitors and addresses: the arena stores no id of a visitor and no address."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from libra.v1.arena_pb2 import Visitor

HASH_DIGITS = 32


@dataclass(frozen=True, slots=True)
class VisitorHash:
    """The hashes that identify a visitor in the arena."""

    visitor: str
    address: str


def hash_visitor(key: bytes, visitor: Visitor) -> VisitorHash:
    """Return the hashes of a visitor's id and address."""
    return VisitorHash(_hash(key, f"visitor/{visitor.id}"), _hash(key, f"address/{visitor.address}"))


def derive_key(key: bytes, purpose: str) -> bytes:
    """Return a key for one purpose."""
    return hmac.digest(key, purpose.encode(), hashlib.sha256)


def _hash(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()[:HASH_DIGITS]
