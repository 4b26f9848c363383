"""Signs requests for AWS: Signature Version 4, by botocore, which the extra "bedrock" installs."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from yarl import URL

from libra.gateway.provider.keys.api_key import NoKey

SERVICE = "bedrock"
REGION = re.compile(r"(?<![a-z0-9])[a-z]{2,4}(?:-[a-z]+){1,3}-\d{1,2}(?![a-z0-9])")
PARTS = range(2, 4)
SIGNED_HEADERS = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")


def signed_headers(url: str, body: bytes, key: str) -> Mapping[str, str]:
    """Return the headers of the signature. `key` is "ACCESS_KEY_ID:SECRET" or "ACCESS_KEY_ID:SECRET:SESSION_TOKEN".

    Raises NoKey.
    """
    parts = key.split(":")
    if len(parts) not in PARTS or not all(parts):
        raise NoKey('the API key of the model has not the form "ACCESS_KEY_ID:SECRET" or "ACCESS_KEY_ID:SECRET:TOKEN"')
    # The path is signed as it is sent: the HTTP client writes ":" for "%3A".
    sent = URL(url)
    botocore = _botocore()
    request = botocore.request("POST", str(sent), {"Content-Type": "application/json"}, body)
    botocore.signer(botocore.keys(*parts), SERVICE, region_of(sent)).add_auth(request)
    return {name: request.headers[name] for name in SIGNED_HEADERS if name in request.headers}


def region_of(url: URL) -> str:
    """Return the AWS region that a URL names, in its host or, behind a proxy, in its path. Raises NoKey."""
    found = REGION.search(url.host or "") or REGION.search(url.path.partition("/model/")[0])
    if found is None:
        raise NoKey(
            f"the URL of the model ({url.origin()}) names no AWS region, which its signature needs; use"
            " https://bedrock-runtime.REGION.amazonaws.com, or a Bedrock API key"
        )
    return found[0]


class _Botocore:
    """The classes of botocore that sign a request."""

    def __init__(self) -> None:
        from botocore.auth import SigV4Auth  # noqa: PLC0415 - an extra, loaded at the first use
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415

        self.signer: Any = SigV4Auth
        self.keys: Any = Credentials
        self._request: Any = AWSRequest
        # At DEBUG it logs what it signs, which contains the session token.
        logging.getLogger("botocore.auth").setLevel(logging.INFO)

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Any:
        """Return a request to sign."""
        return self._request(method=method, url=url, headers=dict(headers), data=body)


@cache
def _botocore() -> _Botocore:
    try:
        return _Botocore()
    except ImportError as missing:
        raise NoKey(
            "signatures for AWS need the package botocore; install libra[bedrock] in the gateway, or use a Bedrock API"
            " key"
        ) from missing
