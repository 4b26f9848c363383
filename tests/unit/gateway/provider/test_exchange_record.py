"""The record of an exchange shows what was sent and received, and no key."""

from __future__ import annotations

from yarl import URL

from libra.core.http.address_policy import AddressPolicy
from libra.core.http.proxies import Proxies
from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.exchange_record import SHOWN_CHARACTERS, exchange_of
from libra.gateway.provider.http.endpoint import HttpEndpoint
from libra.v1.gateway_pb2 import Exchange

KEY = "sk-0a1b2c3d4e5f6071"


def record(credentials: dict[str, str], body: bytes = b"", key: str = KEY, url: str = "http://h/v1?v=1") -> Exchange:
    endpoint = HttpEndpoint(URL(url), {"X-Team": "red"}, AddressPolicy(), Proxies.parse({}))
    return exchange_of(endpoint, credentials, b'{"a": 1}', key, HttpResponse(200, {}, body), 0.5)


async def test_headers_with_keys_are_masked_and_others_are_not() -> None:
    exchange = record({"Authorization": f"Bearer {KEY}", "anthropic-version": "2023-06-01", "X-Key": "other-secret-1"})
    assert exchange.request_headers["Authorization"] == exchange.request_headers["X-Key"] == "[key]"
    assert exchange.request_headers["anthropic-version"] == "2023-06-01"
    assert exchange.request_headers["X-Team"] == "red"
    assert exchange.request_line == "POST http://h/v1?v=1"
    assert (exchange.request_body, exchange.status, exchange.seconds) == ('{"a": 1}', 200, 0.5)


async def test_no_key_of_any_header_is_shown_in_a_body_or_a_url() -> None:
    body = f"bad {KEY}, {KEY[:10]}...; other-secret-1; version 2023-06-01".encode()
    exchange = record({"X-Key": "other-secret-1", "anthropic-version": "2023-06-01"}, body, url=f"http://h/?k={KEY}")
    assert exchange.response_body == "bad [key], [key]...; [key]; version 2023-06-01"
    assert KEY not in str(exchange)


async def test_a_key_that_is_derived_is_masked_too() -> None:
    token = "ya29.a0AfB_derived"
    exchange = record({"Authorization": f"Bearer {token}"}, f"bad {token}".encode(), key="")
    assert token not in str(exchange)


async def test_a_long_or_broken_body_is_cut_and_readable() -> None:
    assert record({}, "é".encode() * 10_000).response_body == "é" * SHOWN_CHARACTERS
    assert record({}, b"\xff\xfe").response_body == "��"
    assert record({}).response_body == ""
