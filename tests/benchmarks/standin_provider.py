"""A provider that answers after a fixed time and counts its requests.

    python -m tests.benchmarks.standin_provider LATENCY_SECONDS

It prints its port. `GET /report` returns the record since the last `POST /reset`: requests, repeated requests, and the
requests in flight in each tenth of a second.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import sys
import time
from collections.abc import Callable
from typing import Any, cast

import orjson
import uvloop

SLOT_SECONDS = 0.1
CONTENT_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
RESPONSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: stand-in\r\nContent-Length: "
REFUSALS_IN_16 = 12
REFUSAL = "I'm sorry, but I can't help with that."
ANSWER = "Sure, here is a general overview of it. " * 8


class InFlightSlots:
    """Counts the requests in flight: mean, minimum and maximum of each slot of a tenth of a second."""

    def __init__(self) -> None:
        self.current = 0
        self._changed_at = self._slot_began_at = time.monotonic()
        self._request_seconds, self._min, self._max = 0.0, 0, 0
        self.slots: list[tuple[float, int, int]] = []

    def change(self, by: int) -> None:
        now = time.monotonic()
        self._request_seconds += self.current * (now - self._changed_at)
        self._changed_at = now
        self.current += by
        self._min, self._max = min(self._min, self.current), max(self._max, self.current)

    async def sample(self) -> None:
        while True:
            await asyncio.sleep(SLOT_SECONDS)
            self.change(0)
            self.slots.append((self._request_seconds / (self._changed_at - self._slot_began_at), self._min, self._max))
            self._request_seconds, self._slot_began_at = 0.0, self._changed_at
            self._min = self._max = self.current


class StandinProvider:
    """Answers the requests of all connections and records them."""

    def __init__(self, latency_seconds: float) -> None:
        self._latency_seconds = latency_seconds
        self._in_flight = InFlightSlots()
        self._reset()

    def _reset(self) -> None:
        self._calls, self._first_at, self._last_at = 0, 0.0, 0.0
        self._seen: set[bytes] = set()
        self._in_flight.slots.clear()

    def handle(self, path: bytes, body: bytes, reply: Callable[[bytes], None]) -> None:
        match path:
            case b"/v1/chat/completions":
                self._chat(body, reply)
            case b"/report":
                reply(orjson.dumps(self._report()))
            case b"/reset":
                self._reset()
                reply(b"{}")
            case _:
                raise AssertionError(f"unknown path {path!r}")

    def _chat(self, body: bytes, reply: Callable[[bytes], None]) -> None:
        self._last_at = time.monotonic()
        self._first_at = self._first_at or self._last_at
        self._calls += 1
        self._in_flight.change(+1)
        prompt = orjson.loads(body)["messages"][-1]["content"]
        digest = hashlib.sha256(prompt.encode()).digest()
        self._seen.add(digest)
        asyncio.get_running_loop().call_later(self._latency_seconds, self._answer, digest, reply)

    def _answer(self, digest: bytes, reply: Callable[[bytes], None]) -> None:
        self._in_flight.change(-1)
        reply(response_body(digest))

    def _report(self) -> dict[str, Any]:
        return {
            "calls": self._calls,
            "repeated": self._calls - len(self._seen),
            "seconds": self._last_at - self._first_at,
            "slots": self._in_flight.slots,
        }

    async def serve(self) -> None:
        server = await asyncio.get_running_loop().create_server(
            lambda: HttpConnection(self), "127.0.0.1", 0, backlog=1024
        )
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await self._in_flight.sample()


class HttpConnection(asyncio.Protocol):
    """One connection with one request at a time.

    It uses no web framework, to take little CPU time from the measured system: a real provider runs elsewhere.
    """

    _transport: asyncio.Transport

    def __init__(self, provider: StandinProvider) -> None:
        self._provider = provider
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, body = self._received.partition(b"\r\n\r\n")
        length = CONTENT_LENGTH.search(head)
        if not ended or len(body) < (size := int(length[1]) if length else 0):
            return
        self._received = body[size:]
        self._provider.handle(head.split(b" ", 2)[1], body[:size], self._reply)

    def _reply(self, body: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"%b%d\r\n\r\n%b" % (RESPONSE_HEAD, len(body), body))


def response_body(digest: bytes) -> bytes:
    text = REFUSAL if digest[0] % 16 < REFUSALS_IN_16 else ANSWER
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100}
    return orjson.dumps(
        {"id": "x", "object": "chat.completion", "created": 0, "model": "mock", "choices": [choice], "usage": usage}
    )


if __name__ == "__main__":
    uvloop.run(StandinProvider(float(sys.argv[1])).serve())
