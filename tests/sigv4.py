"""AWS Signature Version 4 as AWS's reference describes it, written apart from the library that the gateway uses.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_request(method: str, path: str, headers: Mapping[str, str], signed: list[str], body: bytes) -> str:
    """Return the canonical request of a request without query; `path` as it is sent, `headers` by small names."""
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in signed]
    parts = [method, quote(path, safe="/-_.~"), "", *lines, "", ";".join(signed), hashlib.sha256(body).hexdigest()]
    return "\n".join(parts)


def signature(secret: str, scope: str, time: str, canonical: str) -> str:
    """Return the signature. `scope` is "DATE/REGION/SERVICE/aws4_request"."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return _hmac(
        key, "\n".join(["AWS4-HMAC-SHA256", time, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    ).hex()


def is_signed(method: str, path: str, headers: Mapping[str, str], body: bytes, key: str) -> bool:
    """Tell whether a received request has the right signature of the key "ID:SECRET"; `headers` by small names."""
    identity, secret = key.split(":")[:2]
    algorithm, _, rest = headers["authorization"].partition(" ")
    fields = dict(field.split("=", 1) for field in rest.split(", "))
    claimed, scope = fields["Credential"].split("/", 1)
    signed = fields["SignedHeaders"].split(";")
    canonical = canonical_request(method, path, headers, signed, body)
    expected = signature(secret, scope, headers["x-amz-date"], canonical)
    return (algorithm, claimed, fields["Signature"]) == ("AWS4-HMAC-SHA256", identity, expected)
