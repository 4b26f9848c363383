"""Verifies a token (JWT, RFC 7519) of the provider: signature, issuer, audience and times."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jws import CompactSignature, JWSRegistry

from libra.core.errors import Unauthenticated
from libra.rpc.access.oidc.key_cache import KeyCache
from libra.rpc.access.oidc.public_keys import KEY_TYPES

MAX_TOKEN_CHARACTERS = 24 * 1024
"""A header of a call has at most 32 KiB."""

LEEWAY_SECONDS = 30.0
"""Maximum difference between the clocks of the provider and of this machine."""

MAX_SUBJECT_CHARACTERS = 255
"""OpenID Connect Core 1.0, section 2."""

Claims = Mapping[str, Any]


class _Registry(JWSRegistry):
    """Knows the algorithms of KEY_TYPES only, and allows headers with a chain of certificates."""

    max_header_length = 8 * 1024

    def get_alg(self, name: str) -> Any:
        """Return the algorithm; raise UnsupportedAlgorithmError."""
        if name not in KEY_TYPES:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


REGISTRY = _Registry(strict_check_header=False)


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Accepts the tokens of one provider for one audience."""

    issuer: str
    audience: str
    keys: KeyCache

    async def verify(self, text: str) -> Claims:
        """Return the claims of a valid token. Raises Unauthenticated, and Unavailable if the keys cannot be read."""
        token = _parse(text)
        header = token.headers()
        kid, algorithm = header.get("kid"), header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in KEY_TYPES:
            raise Unauthenticated(f"the token must be signed with one of {', '.join(KEY_TYPES)}")
        # No extension is understood. Those of joserfc would let a part of the token go unsigned or unread.
        if not isinstance(kid, str) or "crit" in header or "b64" in header:
            raise Unauthenticated("the header of the token must have a kid, and no crit and no b64")
        key = await self.keys.find((kid, KEY_TYPES[algorithm]))
        if key.alg not in (None, algorithm):
            raise Unauthenticated("the token is signed with another algorithm than the provider's key is for")
        try:
            is_signed = jws.validate_compact(token, key, registry=REGISTRY)
        except (JoseError, ValueError, TypeError):
            is_signed = False
        if not is_signed:
            raise Unauthenticated("the signature of the token is not valid")
        claims = _parse_claims(token)
        self._check(claims)
        return claims

    def _check(self, claims: Claims) -> None:
        now, audience = time.time(), claims.get("aud")
        if claims.get("iss") != self.issuer:
            raise Unauthenticated(f"the token is not from the issuer {self.issuer}")
        if self.audience not in (audience if isinstance(audience, list) else [audience]):
            raise Unauthenticated(f"the token is not for the audience {self.audience}")
        subject = claims.get("sub")
        if not (isinstance(subject, str) and 0 < len(subject) <= MAX_SUBJECT_CHARACTERS and subject.isprintable()):
            raise Unauthenticated(f"the token has no sub of 1 to {MAX_SUBJECT_CHARACTERS} printable characters")
        if now >= _time(claims, "exp") + LEEWAY_SECONDS:
            raise Unauthenticated(f"the token has expired; get a new one from {self.issuer}")
        for name in ("nbf", "iat"):
            if name in claims and now < _time(claims, name) - LEEWAY_SECONDS:
                raise Unauthenticated(f"the token is not valid yet ({name}); compare the clocks of both machines")


def _parse(text: str) -> CompactSignature:
    """Return the token, not verified."""
    if len(text) > MAX_TOKEN_CHARACTERS:
        raise Unauthenticated(f"the token has more than {MAX_TOKEN_CHARACTERS:,} characters")
    try:
        token = jws.extract_compact(text.encode("ascii"), registry=REGISTRY)
        is_object = isinstance(token.headers(), dict)
    except (JoseError, ValueError, TypeError, RecursionError):
        is_object = False
    if not is_object:
        raise Unauthenticated("the token is no JWT")
    return token


def _parse_claims(token: CompactSignature) -> Claims:
    try:
        claims = json.loads(token.payload)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise Unauthenticated("the token has no claims")
    return claims


def _time(claims: Claims, name: str) -> float:
    """Return a time in seconds since 1970; raise Unauthenticated if it is missing or is no number."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unauthenticated(f"the token has no valid {name}")
    return float(value)
