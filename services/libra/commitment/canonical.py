"""The canonical form of JSON (RFC 8785), which all hashes and signatures of a commitment are made of."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from libra.core.errors import Invalid

Json = dict[str, Any]


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of a value; raise Invalid for a value that has none, such as a lone surrogate."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise Invalid(f"it has no canonical JSON (RFC 8785): {error}") from None


def hash_json(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of a value, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()
