"""Posts to URLs that users name: addresses are checked at each connection, and a certificate must be valid."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from libra.core.http.address_policy import AddressPolicy, AddressRefused
from libra.core.http.poster import Poster, PostFailed, TargetRules
from libra.core.http.proxies import Proxies
from libra.core.settings import InvalidSettings

PUBLIC, PRIVATE = "93.184.216.34", "127.0.0.1"
LOOPBACK = AddressPolicy.parse("loopback")


class ChangingResolver(AbstractResolver):
    """A name server that gives another address to each question, and the last one for ever."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self._addresses.pop(0) if len(self._addresses) > 1 else self._addresses[0]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that answers 200; yields its port and the bodies that it received."""
    bodies: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        bodies.append(await request.text())
        return web.Response(text="x" * 10_000_000)

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1], bodies
    finally:
        await runner.cleanup()


@asynccontextmanager
async def poster(rules: TargetRules, resolver: AbstractResolver | None = None, tls: ssl.SSLContext | None = None):  # type: ignore[no-untyped-def]  # yields a Poster
    made = Poster(rules, tls=tls, resolver=resolver)
    try:
        yield made
    finally:
        await made.close()


async def test_a_name_that_is_rebound_to_a_private_address_is_not_connected_to() -> None:
    rules = TargetRules(plain_hosts=frozenset({"rebound.example"}))
    async with serving() as (port, bodies), poster(rules, ChangingResolver(PUBLIC, PRIVATE)) as post:
        url = f"http://rebound.example:{port}/"
        await post.check_name(url)  # as when the webhook is created: the address is public
        for _ in range(2):
            with pytest.raises(PostFailed, match="loopback address"):
                await post.post(url, {}, b"{}", 5)
    assert bodies == []


async def test_the_refusal_names_the_setting_of_webhooks() -> None:
    rules = TargetRules(AddressPolicy.parse("", "LIBRA_DISPATCH_WEBHOOK_NETWORKS"))
    with pytest.raises(AddressRefused, match=r"LIBRA_DISPATCH_WEBHOOK_NETWORKS=10\.0\.0\.1"):
        rules.check("https://10.0.0.1/")


async def test_a_certificate_must_be_valid() -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with serving(server) as (port, bodies):
        url = f"https://127.0.0.1:{port}/"
        async with poster(TargetRules(LOOPBACK)) as post:
            with pytest.raises(PostFailed, match="certificate is not accepted"):
                await post.post(url, {}, b"{}", 5)
        assert bodies == []
        async with poster(TargetRules(LOOPBACK), tls=trusting) as post:
            assert await post.post(url, {"X": "y"}, b"{}", 5) == (200, None)
    assert bodies == ["{}"]


async def test_a_long_body_of_a_response_is_not_read() -> None:
    rules = TargetRules(LOOPBACK, frozenset({"127.0.0.1"}))
    async with serving() as (port, bodies), poster(rules) as post:
        for _ in range(3):
            assert await post.post(f"http://127.0.0.1:{port}/", {}, b"{}", 5) == (200, None)
    assert len(bodies) == 3


async def test_a_proxy_carries_the_request_and_resolves_the_name() -> None:
    rules = TargetRules(plain_hosts=frozenset({"receiver.invalid"}))
    asked: list[tuple[str, str]] = []

    async def serve(request: web.Request) -> web.Response:
        asked.append((str(request.url), request.headers.get("Proxy-Authorization", "")))
        return web.Response(status=503, headers={"Retry-After": "7"})

    app = web.Application()
    app.router.add_route("POST", "/{path:.*}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    proxies = Proxies.single(f"http://me:secret@127.0.0.1:{runner.addresses[0][1]}", "SETTING")
    made = Poster(rules, proxies=proxies)
    try:
        await made.check_name("http://receiver.invalid/")
        assert await made.post("http://receiver.invalid/hook", {}, b"{}", 5) == (503, 7.0)
        with pytest.raises(PostFailed, match="private address"):
            await made.post("https://10.0.0.1/", {}, b"{}", 5)
    finally:
        await made.close()
        await runner.cleanup()
    assert asked == [("http://receiver.invalid/hook", "Basic bWU6c2VjcmV0")]


async def test_a_proxy_that_is_away_fails_the_attempt_and_an_invalid_one_is_refused() -> None:
    rules = TargetRules(plain_hosts=frozenset({"receiver.invalid"}))
    made = Poster(rules, proxies=Proxies.single("http://127.0.0.1:1", "SETTING"))
    with pytest.raises(PostFailed, match="the proxy has no connection"):
        await made.post("http://receiver.invalid/hook", {}, b"{}", 5)
    await made.close()
    with pytest.raises(InvalidSettings, match="SETTING is not the URL of an HTTP proxy"):
        Proxies.single("socks5://127.0.0.1:1", "SETTING")
