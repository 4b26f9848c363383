"""Real servers on free ports: an endpoint that answers over HTTP or TLS, and a forward proxy that records requests."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from libra.gateway.provider.adapters.openai_chat import OpenAiChat
from libra.gateway.provider.http_provider import HttpProvider
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import ProviderAnswer, ProviderFault, ProviderResult
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, Provider

ANSWER = {"choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]}


@dataclass
class Server:
    """An endpoint, and what it has received."""

    port: int = 0
    headers: list[Mapping[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    responses: list[web.Response] = field(default_factory=list)
    """The next responses; after them, an answer."""

    async def complete(self, request: web.Request) -> web.Response:
        await request.read()
        self.headers.append(request.headers.copy())
        self.paths.append(request.path_qs)
        return self.responses.pop(0) if self.responses else web.json_response(ANSWER)


@asynccontextmanager
async def serving(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server, app = Server(), web.Application()
    app.add_routes([web.post("/{path:.*}", server.complete)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, 0, ssl_context=tls).start()
        server.port = runner.addresses[0][1]
        yield server
    finally:
        await runner.cleanup()


@dataclass
class ForwardProxy:
    """A forward proxy for plain requests and CONNECT tunnels. It sends every host to a port on this machine."""

    port: int = 0
    to_port: int = 0
    password: str = ""
    """"user:password" that it demands; empty for none."""
    refusal: bytes = b""
    """The response to every request, if not empty."""
    requests: list[str] = field(default_factory=list)
    """The first lines of all requests."""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    """Every connection."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._forward(reader, writer)
        writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, _, rest = head.decode().partition("\r\n")
        self.requests.append(first)
        wanted = f"Proxy-Authorization: Basic {base64.b64encode(self.password.encode()).decode()}\r\n"
        if self.password and wanted not in rest:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif self.refusal:
            writer.write(self.refusal)
        else:
            await self._tunnel(first, rest, reader, writer)
        await writer.drain()

    async def _tunnel(self, first: str, rest: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        self.writers.append(up_writer)
        method, target, version = first.split()
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            path = target.split("/", 3)[3]
            kept = "".join(f"{line}\r\n" for line in rest.split("\r\n") if line and not line.startswith("Proxy-"))
            up_writer.write(f"{method} /{path} {version}\r\n{kept}\r\n".encode())
        await asyncio.gather(_pump(reader, up_writer), _pump(up_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxying(to_port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[ForwardProxy]:
    proxy = ForwardProxy(to_port=to_port)
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            tasks.add(task)
        await proxy.handle(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy
        for writer in proxy.writers:
            writer.close()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks)


def model_at(url: str, **fields: Any) -> Model:
    limits = ModelLimits(timeout_seconds=5)
    return Model(name="m", provider=Provider.PROVIDER_OPENAI, base_url=url, limits=limits, **fields)


async def ask(provider: HttpProvider, model: Model) -> ProviderResult:
    request = CompletionRequest(model, GenerationParameters(), (Message(role="user", content="hello"),))
    async with asyncio.timeout(20):
        return await provider.ask(OpenAiChat(), request)


async def text_of(provider: HttpProvider, model: Model) -> str:
    result = await ask(provider, model)
    assert isinstance(result, ProviderAnswer), result
    return result.text


async def fault_of(provider: HttpProvider, model: Model) -> ProviderFault:
    result = await ask(provider, model)
    assert isinstance(result, ProviderFault), result
    return result
