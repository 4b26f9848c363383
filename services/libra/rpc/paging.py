"""Page sizes and page tokens of lists (AIP-158; keyset, never skip)."""

from __future__ import annotations

import base64
import binascii
import hashlib

from libra.core.errors import Invalid

CHECK_BYTES = 6
MAX_TOKEN_CHARACTERS = 2048


def page_size(requested: int, *, default: int, maximum: int) -> int:
    """Return the size of a page: `requested`, at most `maximum`, `default` for 0; raise Invalid if negative."""
    if requested < 0:
        raise Invalid(f"{requested} is negative; leave it out for pages of {default}", field="page_size")
    return min(requested or default, maximum)


def encode(key: str, scope: str) -> str:
    """Return the opaque token of the page after `key`; `scope` is the list's name with all its filters."""
    data = key.encode()
    return base64.urlsafe_b64encode(_check(data, scope) + data).rstrip(b"=").decode()


def decode(token: str, scope: str) -> str:
    """Return the key that `encode` was called with, "" for an empty token; raise Invalid for another list's token."""
    if not token:
        return ""
    data = _bytes(token)
    check, key = data[:CHECK_BYTES], data[CHECK_BYTES:]
    if check != _check(key, scope):
        raise Invalid(
            "it is not a page token of this list; pass next_page_token of the previous reply, with the same filters",
            field="page_token",
        )
    return key.decode()


def _bytes(token: str) -> bytes:
    """Return the decoded bytes of a token; empty bytes if it is malformed."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        return b""
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _check(key: bytes, scope: str) -> bytes:
    """Return a checksum that tells a token of this list from other text; it is not a secret."""
    return hashlib.sha256(scope.encode() + b"\0" + key).digest()[:CHECK_BYTES]
