"""The secret that signs cookies and form tokens, and the signatures."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from libra.core.settings import InvalidSettings

MIN_SECRET_BYTES = 32
SIGNATURE_CHARACTERS = 43
"""SHA-256 in hexadecimal, cut to 172 bits."""


def load_secret(file: str) -> bytes:
    """Return the content of a file, or a new secret if `file` is empty. Raises InvalidSettings."""
    if not file:
        return secrets.token_bytes(MIN_SECRET_BYTES)
    try:
        secret = Path(file).read_bytes().strip()
    except OSError as error:
        raise InvalidSettings(f"LIBRA_WEB_KEY_FILE={file} cannot be read: {error.strerror}") from None
    if len(secret) < MIN_SECRET_BYTES:
        raise InvalidSettings(
            f"LIBRA_WEB_KEY_FILE={file} has {len(secret)} bytes, and a secret needs at least {MIN_SECRET_BYTES}: "
            "`openssl rand -hex 32` prints one"
        )
    return secret


def sign(secret: bytes, purpose: str, text: str) -> str:
    """Return the signature of a text for one purpose; that for another purpose is different."""
    return hmac.new(secret, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()[:SIGNATURE_CHARACTERS]


def is_signed(secret: bytes, purpose: str, text: str, signature: str) -> bool:
    """Return whether the signature is that of the text, in a time that does not depend on the answer."""
    return hmac.compare_digest(sign(secret, purpose, text).encode(), signature.encode())
