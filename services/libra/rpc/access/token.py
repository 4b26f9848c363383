"""The text of a token: "libra_", its id, "_", and 256 random bits, of which only a hash is stored; or a JWT."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Self

SECRET_BYTES = 32
ID_BYTES = 8

TEXT = re.compile(r"libra_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class TokenText:
    """A token as its owner has it."""

    id: str
    secret: str = field(repr=False)

    @classmethod
    def create(cls) -> Self:
        """Return a new random token."""
        return cls(secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the token that the text is; None if it is none."""
        found = TEXT.fullmatch(text)
        return cls(found[1], found[2]) if found else None

    def text(self) -> str:
        """Return what the owner sends."""
        return f"libra_{self.id}_{self.secret}"

    def hash(self) -> bytes:
        """Return what is stored. A slow hash is needed for passwords only: nobody can guess 256 random bits."""
        return hashlib.sha256(self.secret.encode()).digest()

    def has_hash(self, stored: bytes) -> bool:
        """Return whether the secret is that of a stored hash; the time that it takes does not depend on the two."""
        return hmac.compare_digest(self.hash(), stored)


def is_jwt(text: str) -> bool:
    """Return whether a secret has the form of a signed JWT: three parts with dots between them."""
    return text.count(".") == 2  # noqa: PLR2004 - header, claims, signature
