"""Pages of a list: how large, and where the next one begins (AIP-158; keyset, never skip)."""

from __future__ import annotations

import base64
import binascii
import hashlib

from libra.errors import Invalid

CHECK_BYTES = 6
MAX_TOKEN_CHARACTERS = 2048


def page_size(asked: int, *, default: int, most: int) -> int:
    """Return how many to put on a page: `asked`, at most `most`; `default` for 0. Invalid if it is negative."""
    if asked < 0:
        raise Invalid(f"{asked} is negative; leave it out for pages of {default}", field="page_size")
    return min(asked or default, most)


def encode(key: str, scope: str) -> str:
    """Return the opaque token for the page after `key` in the list `scope`: its name with all its filters."""
    data = key.encode()
    return base64.urlsafe_b64encode(_check(data, scope) + data).rstrip(b"=").decode()


def decode(token: str, scope: str) -> str:
    """Return the key that `encode` was given, "" for an empty token; Invalid for any other token or another scope."""
    if not token:
        return ""
    data = _bytes(token)
    check, key = data[:CHECK_BYTES], data[CHECK_BYTES:]
    if check != _check(key, scope):
        raise Invalid(
            "it belongs to no page of this list; pass the next_page_token of the answer before, with the same filters",
            field="page_token",
        )
    return key.decode()


def _bytes(token: str) -> bytes:
    """Return what a token is made of; nothing if it is no token."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        return b""
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _check(key: bytes, scope: str) -> bytes:
    """Return what tells a token of this list from garbage; it is no secret."""
    return hashlib.sha256(scope.encode() + b"\0" + key).digest()[:CHECK_BYTES]
