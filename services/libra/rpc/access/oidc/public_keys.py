"""The public keys of the provider that tokens may be signed with."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

KEY_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
        **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
        **dict.fromkeys(("EdDSA", "Ed25519"), "OKP"),
    }
)
"""The algorithms that tokens may be signed with, and the type of their keys. All are asymmetric: with a symmetric one,
whoever knows a published key could sign."""

MAX_KEYS = 100
MIN_RSA_BITS = 2048

PUBLIC_MEMBERS = frozenset({"kty", "crv", "x", "y", "n", "e", "alg"})
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

KeyName = tuple[str, str]
"""The id of a key, which a token names, and the type of the key."""


def parse_key_set(document: Any) -> dict[KeyName, Key]:
    """Return the keys of a JSON Web Key Set that can be used, without the others. Raises ValueError if none can."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("it is not a JSON Web Key Set")  # noqa: TRY004 - a document, not an argument
    found = dict(_usable_keys(entries[:MAX_KEYS]))
    if not found:
        raise ValueError("it has no key with an id and of a type that is allowed")
    return found


def _usable_keys(entries: list[Any]) -> Iterator[tuple[KeyName, Key]]:
    for entry in entries:
        if not isinstance(entry, dict) or not is_public_signature_key(entry):
            continue
        try:
            key = import_key({name: entry[name] for name in entry.keys() & PUBLIC_MEMBERS})
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        yield (entry["kid"], entry["kty"]), key


def is_public_signature_key(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry of a key set can verify signatures of tokens and is not private or weak."""
    kid, kty = entry.get("kid"), entry.get("kty")
    is_strong = kty != "RSA" or _bits(entry.get("n")) >= MIN_RSA_BITS
    is_public = not entry.keys() & PRIVATE_MEMBERS
    return bool(isinstance(kid, str) and kid and kty in KEY_TYPES.values() and entry.get("use", "sig") == "sig") and (
        is_public and is_strong
    )


def _bits(number: Any) -> int:
    """Return the length of a number in base64url."""
    try:
        return int.from_bytes(base64.urlsafe_b64decode(f"{number}==")).bit_length()
    except ValueError:
        return 0
