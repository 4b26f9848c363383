"""Ed25519 signatures (RFC 8032)."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32


def sign(key: bytes, message: bytes) -> bytes:
    """Return the signature of a message under a private key of 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(key).sign(message)


def public_key(key: bytes) -> bytes:
    """Return the public key of a private key, 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()


def is_signed(key: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether the signature of a message was made with the private key of this public key."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
