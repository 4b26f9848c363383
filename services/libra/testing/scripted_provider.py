"""An OpenAI-compatible endpoint that replies, refuses, delays and fails as its script says.

    async with ScriptedProvider(in_turn(slow_down(1), says("42"))) as provider:
        ...  # register a model with base_url=provider.url, run it
        assert provider.count == 2
        assert provider.requests[1].prompt == "What is six times seven?"

A script is a function from a request to a `Behaviour`, or one `Behaviour` for all requests. `says` and the functions
after it make the behaviours that providers are known for. The endpoint listens on a free loopback port and needs no API
key.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

HOST = "127.0.0.1"
MAX_REQUEST_BYTES = 64 * 1024 * 1024
STOP_SECONDS = 0.2
"""Maximum time for running requests when the provider is closed."""

JSON, HTML, EVENT_STREAM = "application/json", "text/html", "text/event-stream"


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One received request."""

    number: int
    """From 0, in order of arrival."""

    body: Mapping[str, Any]
    """The JSON of the request; empty if it was not JSON."""

    headers: Mapping[str, str]
    """By name in lower case. They contain the API key ("authorization"), so use them in tests only."""

    at_seconds: float
    """Time of arrival, by the event loop's clock."""

    @property
    def model(self) -> str:
        """The requested model, by the provider's name."""
        return str(self.body.get("model", ""))

    @property
    def prompt(self) -> str:
        """The content of the last message; "" if there is none."""
        messages = self.body.get("messages") or [{}]
        return str(messages[-1].get("content", ""))


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The response to one request: status, headers and body after a delay, or no response at all."""

    body: bytes = b""
    status: int = HTTPStatus.OK
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    after_seconds: float = 0.0
    """Delay of the response; infinity for none."""

    broken_off: bool = False
    """The connection is closed before the whole body is sent."""

    raw: bytes = b""
    """Sent in place of an HTTP response; then the connection is closed."""

    parts: tuple[bytes, ...] = ()
    """Sent one after another in place of `body`, with `pause_seconds` between them."""

    pause_seconds: float = 0.0
    """The pause after each of the parts; infinity to stall after the last one."""


Script = Callable[[ReceivedRequest], Behaviour]


class ScriptedProvider:
    """Serves the script inside `async with`, and records the requests."""

    def __init__(self, script: Script | Behaviour) -> None:
        self._script: Script = (lambda _: script) if isinstance(script, Behaviour) else script
        self._runner: web.AppRunner | None = None
        self._port = 0
        self.in_flight = 0
        """Requests in flight now, also those whose client has gone away."""
        self.requests: list[ReceivedRequest] = []
        """All requests, in order of arrival."""
        self.max_in_flight = 0
        """Maximum concurrent requests so far."""

    @property
    def url(self) -> str:
        """The `base_url` for a model; valid only while the provider serves."""
        return f"http://{HOST}:{self._port}/v1"

    @property
    def count(self) -> int:
        """Requests received so far."""
        return len(self.requests)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.add_routes([web.post("/v1/chat/completions", self._complete), web.get("/v1/models", self._models)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        asked = ReceivedRequest(
            self.count, await _json(request), _lower(request.headers), asyncio.get_running_loop().time()
        )
        self.requests.append(asked)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            return await _carry_out(self._script(asked), request)
        finally:
            self.in_flight -= 1

    async def _models(self, _: web.Request) -> web.Response:
        names = sorted({asked.model for asked in self.requests} | {"scripted"})
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})


def in_turn(*behaviours: Behaviour) -> Script:
    """Return the script that uses the next behaviour for each request, and repeats the last one."""
    return lambda asked: behaviours[min(asked.number, len(behaviours) - 1)]


def says(
    text: str,
    *,
    finish_reason: str = "stop",
    prompt_tokens: int = 10,
    completion_tokens: int = 5,
    after_seconds: float = 0,
) -> Behaviour:
    """Return a completion with usage, as every provider sends it."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
    total = prompt_tokens + completion_tokens
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total}
    document = {"id": "chatcmpl-scripted", "object": "chat.completion", "choices": [choice], "usage": usage}
    return Behaviour(json.dumps(document).encode(), after_seconds=after_seconds)


def streams(
    *deltas: str, finish_reason: str = "stop", pause_seconds: float = 0.0, prompt_tokens: int = 10, after: bytes = b""
) -> Behaviour:
    """Return a streamed completion with usage, one event for each delta; `after` is sent in place of its end."""
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": {"content": delta}}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish_reason}]})
    chunks.append({"choices": [], "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": len(deltas)}})
    events = [server_sent(chunk) for chunk in chunks]
    end = (after,) if after else (*events[-2:], b"data: [DONE]\n\n")
    return Behaviour(content_type=EVENT_STREAM, parts=(*events[:-2], *end), pause_seconds=pause_seconds)


def server_sent(event: Mapping[str, Any]) -> bytes:
    """Return an event as a server sends it."""
    return f"data: {json.dumps(event)}\n\n".encode()


def stalls(*deltas: str) -> Behaviour:
    """Return a stream that stalls after these deltas and keeps the connection open."""
    return replace(streams(*deltas, after=b": nothing follows\n\n"), pause_seconds=float("inf"))


def refuses(
    status: int, *, code: str = "", message: str = "refused by the script", headers: Mapping[str, str] | None = None
) -> Behaviour:
    """Return an error in OpenAI's form: 400, 401, 403, 404, 429, 500, 503 or any other."""
    document = {"error": {"message": message, "type": "error", "param": None, "code": code or None}}
    return Behaviour(json.dumps(document).encode(), status=status, headers=headers or {})


def slow_down(retry_after_seconds: float | None = None) -> Behaviour:
    """Return a 429, with Retry-After if a time is given."""
    headers = {} if retry_after_seconds is None else {"Retry-After": f"{retry_after_seconds:g}"}
    return refuses(429, code="rate_limit_exceeded", message="Rate limit reached", headers=headers)


def filtered() -> Behaviour:
    """Return a completion whose text the provider's filter removed: finish_reason content_filter."""
    return says("", finish_reason="content_filter", completion_tokens=0)


def filters_the_prompt() -> Behaviour:
    """Return Azure's form of a filtered prompt: a 400 with the code content_filter."""
    return refuses(400, code="content_filter", message="The prompt triggered the content management policy")


def web_page(status: int = HTTPStatus.OK) -> Behaviour:
    """Return HTML, as a proxy or a wrong base_url does."""
    return Behaviour(b"<!doctype html><title>Welcome</title><p>This is no API.", status=status, content_type=HTML)


def truncated() -> Behaviour:
    """Return JSON that ends in the middle, in a complete HTTP response."""
    whole = says("the rest of this is missing").body
    return Behaviour(whole[: len(whole) // 2])


def broken_off() -> Behaviour:
    """Return half a response, then close the connection."""
    return Behaviour(says("the rest of this is missing").body, broken_off=True)


def malformed(raw: bytes = b"no HTTP at all\r\n\r\n") -> Behaviour:
    """Send these bytes in place of a response; `MALFORMED` has the kinds that proxies and dying servers send."""
    return Behaviour(raw=raw)


MALFORMED = {
    "broken chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nno chunk\r\n",
    "oversized header": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 20_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    "garbage status line": b"no HTTP at all\r\n\r\n",
    "cut body": b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"choices": [',
}
"""Responses that are no HTTP, by name."""


def nothing() -> Behaviour:
    """Return a 200 with an empty body."""
    return Behaviour()


def huge(size_bytes: int = 10 * 1024 * 1024) -> Behaviour:
    """Return a completion with a text of this size."""
    return says("x" * size_bytes, completion_tokens=size_bytes // 4)


def hangs() -> Behaviour:
    """Send no response and keep the connection open."""
    return Behaviour(after_seconds=float("inf"))


async def _carry_out(behaviour: Behaviour, request: web.Request) -> web.StreamResponse:
    if behaviour.after_seconds == float("inf"):
        await asyncio.Event().wait()
    await asyncio.sleep(behaviour.after_seconds)
    if behaviour.raw and request.transport is not None:
        request.transport.write(behaviour.raw)
        request.transport.close()
        return web.Response()
    headers = {**behaviour.headers, "Content-Type": behaviour.content_type}
    if behaviour.parts:
        return await _stream(behaviour, request, headers)
    if not behaviour.broken_off:
        return web.Response(body=behaviour.body, status=behaviour.status, headers=headers)
    headers["Content-Length"] = str(len(behaviour.body))
    response = web.StreamResponse(status=behaviour.status, headers=headers)
    await response.prepare(request)
    await response.write(behaviour.body[: len(behaviour.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _stream(behaviour: Behaviour, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(status=behaviour.status, headers=headers)
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError):  # the client has left
        for part in behaviour.parts:
            await response.write(part)
            if behaviour.pause_seconds < float("inf"):
                await asyncio.sleep(behaviour.pause_seconds)
    if behaviour.pause_seconds == float("inf"):
        await asyncio.Event().wait()
    if behaviour.broken_off and request.transport is not None:
        request.transport.close()
    return response


async def _json(request: web.Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
