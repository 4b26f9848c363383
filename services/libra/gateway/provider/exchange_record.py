"""Records HTTP exchanges for people: without API keys, and shortened."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.http.endpoint import HttpEndpoint
from libra.gateway.provider.keys import api_key
from libra.gateway.provider.result import ProviderFault
from libra.v1.gateway_pb2 import Exchange

SHOWN_CHARACTERS = 4096
SCANNED_BYTES = 6 * SHOWN_CHARACTERS
"""A character has at most four bytes, and masking a key makes the text shorter."""

NO_KEYS = frozenset({"anthropic-version", "x-amz-content-sha256", "x-amz-date", "x-goog-user-project"})
"""Headers that come with the keys and hold none."""

Record = Callable[[Exchange], None]
"""Takes each exchange as it ends."""


async def recorded(
    exchange: Coroutine[Any, Any, HttpResponse | ProviderFault],
    record: Record,
    endpoint: HttpEndpoint,
    credentials: Mapping[str, str],
    data: bytes,
    key: str,
) -> HttpResponse | ProviderFault:
    """Return what came of an exchange, and record it, also one that is cancelled."""
    started, response = time.perf_counter(), None
    try:
        result = await exchange
        response = result if isinstance(result, HttpResponse) else None
        return result
    finally:
        record(exchange_of(endpoint, credentials, data, key, response, time.perf_counter() - started))


def exchange_of(
    endpoint: HttpEndpoint,
    credentials: Mapping[str, str],
    data: bytes,
    key: str,
    response: HttpResponse | None,
    seconds: float,
) -> Exchange:
    """Return the record of a request and its response; None stands for no response."""
    keys = {name: value for name, value in credentials.items() if name.lower() not in NO_KEYS}
    secrets = {key, *(value.split()[-1] for value in keys.values() if value.split())} - {""}
    head = (
        endpoint.request({**credentials, **dict.fromkeys(keys, api_key.MASK)}, data).partition(b"\r\n\r\n")[0].decode()
    )
    start, *lines = head.split("\r\n")
    method = start.partition(" ")[0]
    return Exchange(
        request_line=_masked(f"{method} {endpoint.target.url}", secrets),
        request_headers={name: value for name, _, value in (line.partition(": ") for line in lines)},
        request_body=_text(data, secrets),
        status=response.status if response else 0,
        response_body=_text(response.body, secrets)[:SHOWN_CHARACTERS] if response else "",
        seconds=seconds,
    )


def _text(data: bytes, secrets: set[str]) -> str:
    return _masked(data[:SCANNED_BYTES].decode("utf-8", "replace"), secrets)


def _masked(text: str, secrets: set[str]) -> str:
    for secret in secrets:
        text = api_key.scrub(text, secret)
    return text
