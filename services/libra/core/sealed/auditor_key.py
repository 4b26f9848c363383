"""The key of a round, which shows its sealed samples to an auditor. Only its hash is stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets

PREFIX = "libra-auditor-"
KEY_BYTES = 32


def new_key() -> str:
    """Return a new key."""
    return PREFIX + secrets.token_urlsafe(KEY_BYTES)


def hash_key(key: str) -> str:
    """Return the hash of a key, in hexadecimal. It needs no salt: a key has 256 random bits."""
    return hashlib.sha256(key.strip().encode()).hexdigest()


def is_key(key: str, key_hash: str) -> bool:
    """Return whether a key has this hash."""
    return hmac.compare_digest(hash_key(key), key_hash)
