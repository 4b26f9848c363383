"""Requests through a real forward proxy: plain, in a tunnel, with a password, and with its faults."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Callable

import pytest
from aiohttp import web

from libra.gateway.provider.http.tls import TlsFiles
from libra.gateway.provider.keys.model_keys import ModelKeys
from libra.gateway.provider.result import FaultKind

from .conftest import MakeProvider
from .servers import fault_of, model_at, proxying, serving, text_of

KEYS = {"A_API_KEY": "sk-through-the-proxy-1"}


async def test_a_plain_request_goes_through_the_proxy_with_its_key(provider: MakeProvider) -> None:
    async with serving() as server, proxying(server.port) as proxy:
        made = provider(environment={"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}"}, keys=ModelKeys(KEYS))
        assert await text_of(made, model_at("http://model.test/v1", api_key_env="A_API_KEY")) == "yes"
    assert proxy.requests == ["POST http://model.test/v1/chat/completions HTTP/1.1"]
    assert server.headers[0]["Authorization"] == f"Bearer {KEYS['A_API_KEY']}"
    assert server.headers[0]["Accept-Encoding"] == "identity"


async def test_an_https_request_goes_through_a_tunnel_in_which_the_proxy_sees_no_key(
    provider: MakeProvider, server_tls: Callable[..., ssl.SSLContext], ca_file: str
) -> None:
    async with serving(tls=server_tls("model.test")) as server, proxying(server.port) as proxy:
        made = provider(
            environment={"https_proxy": f"http://127.0.0.1:{proxy.port}"},
            files=TlsFiles(ca=ca_file),
            keys=ModelKeys(KEYS),
        )
        for _ in range(3):
            assert await text_of(made, model_at("https://model.test:8443/v1", api_key_env="A_API_KEY")) == "yes"
    assert proxy.requests == ["CONNECT model.test:8443 HTTP/1.1"]  # one tunnel for all three
    assert len(server.headers) == 3


async def test_a_proxy_may_speak_tls_itself(
    provider: MakeProvider, server_tls: Callable[..., ssl.SSLContext], ca_file: str
) -> None:
    async with serving() as server, proxying(server.port, tls=server_tls("127.0.0.1")) as proxy:
        made = provider(environment={"HTTP_PROXY": f"https://127.0.0.1:{proxy.port}"}, files=TlsFiles(ca=ca_file))
        assert await text_of(made, model_at("http://model.test/v1")) == "yes"


async def test_local_models_and_exceptions_are_reached_directly(provider: MakeProvider) -> None:
    async with serving() as server, proxying(server.port) as proxy:
        made = provider(environment={"ALL_PROXY": f"http://127.0.0.1:{proxy.port}"})
        assert await text_of(made, model_at(f"http://127.0.0.1:{server.port}/v1")) == "yes"
        assert proxy.requests == []


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_gets_its_password_and_the_model_does_not(
    provider: MakeProvider, server_tls: Callable[..., ssl.SSLContext], ca_file: str, scheme: str
) -> None:
    tls = server_tls("model.test") if scheme == "https" else None
    async with serving(tls=tls) as server, proxying(server.port) as proxy:
        proxy.password = "user:secret word"
        address, variable = f"127.0.0.1:{proxy.port}", f"{scheme.upper()}_PROXY"
        files = TlsFiles(ca=ca_file)
        made = provider(environment={variable: f"http://user:secret%20word@{address}"}, files=files)
        assert await text_of(made, model_at(f"{scheme}://model.test/v1")) == "yes"
        assert "Proxy-Authorization" not in server.headers[0]
        assert "Authorization" not in server.headers[0]
        for environment in ({variable: f"http://{address}"}, {variable: f"http://user:wrong@{address}"}):
            fault = await fault_of(provider(environment=environment, files=files), model_at(f"{scheme}://model.test"))
            assert fault.kind == FaultKind.FINAL
            assert f"the proxy http://{address} wants a user and a password" in fault.reason
            assert "wrong" not in fault.reason


@pytest.mark.parametrize(
    ("refusal", "kind", "words"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", FaultKind.FINAL, "allow the host there"),
        (
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            FaultKind.PASSING,
            "no connection to model.test:443",
        ),
        (b"no HTTP\r\n\r\n", FaultKind.PASSING, "by the proxy http://127.0.0.1"),
    ],
)
async def test_a_tunnel_that_is_refused_says_so(
    provider: MakeProvider, refusal: bytes, kind: FaultKind, words: str
) -> None:
    async with proxying(0) as proxy:
        proxy.refusal = refusal
        made = provider(environment={"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"})
        fault = await fault_of(made, model_at("https://model.test/v1"))
    assert fault.kind == kind
    assert words in fault.reason


async def test_a_proxy_that_is_down_is_named(provider: MakeProvider) -> None:
    fault = await fault_of(provider(environment={"HTTP_PROXY": "127.0.0.1:1"}), model_at("http://model.test/v1"))
    assert fault.kind == FaultKind.PASSING
    assert "the proxy http://127.0.0.1:1 cannot be reached" in fault.reason


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (web.Response(body=b"x" * 5_000_000), "4 MiB"),
        (web.Response(body=gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"}), "4 MiB"),
        (web.Response(status=307, headers={"Location": "http://elsewhere.test/", "Set-Cookie": "a=b"}), "redirects"),
    ],
)
async def test_the_limits_of_a_direct_connection_hold(
    provider: MakeProvider, response: web.Response, words: str
) -> None:
    async with serving() as server, proxying(server.port) as proxy:
        server.responses.append(response)
        made = provider(environment={"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}"})
        fault = await fault_of(made, model_at("http://model.test/v1"))
        assert words in fault.reason
        assert await text_of(made, model_at("http://model.test/v1")) == "yes"
        assert "Cookie" not in server.headers[-1]
        assert len(server.headers) == 2  # the redirect was not followed


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "metadata.google.internal", "10.0.0.1", "0x7f.1", "[::ffff:a00:1]"]
)
async def test_a_proxy_is_not_asked_for_a_refused_host(provider: MakeProvider, host: str) -> None:
    async with proxying(0) as proxy:
        made = provider(allowed="", environment={"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}"})
        fault = await fault_of(made, model_at(f"http://{host}/v1"))
    assert fault.kind == FaultKind.FINAL
    assert proxy.requests == []
