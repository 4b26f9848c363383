"""A provider that answers after a fixed time, and counts: `python -m tests.benchmarks.standin_provider LATENCY_SECONDS`.

It prints its port. `GET /report` tells what has come since `POST /reset`: requests, repeated ones, and how many were in flight
in each tenth of a second.
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
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: stand-in\r\nContent-Length: "
REFUSALS_IN_16 = 12
REFUSAL = "I'm sorry, but I can't help with that."
HELP = "Sure, here is a general overview of it. " * 8


class Flight:
    """How many requests are in flight: the mean, the least and the most of each slot."""

    def __init__(self) -> None:
        self.now = 0
        self._changed = self._began = time.monotonic()
        self._area, self._least, self._most = 0.0, 0, 0
        self.slots: list[tuple[float, int, int]] = []

    def change(self, by: int) -> None:
        now = time.monotonic()
        self._area += self.now * (now - self._changed)
        self._changed = now
        self.now += by
        self._least, self._most = min(self._least, self.now), max(self._most, self.now)

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(SLOT_SECONDS)
            self.change(0)
            self.slots.append((self._area / (self._changed - self._began), self._least, self._most))
            self._area, self._began, self._least, self._most = 0.0, self._changed, self.now, self.now


class Provider:
    """What is known of all connections."""

    def __init__(self, latency_seconds: float) -> None:
        self._latency_seconds = latency_seconds
        self._flight = Flight()
        self._reset()

    def _reset(self) -> None:
        self._calls, self._first, self._last = 0, 0.0, 0.0
        self._seen: set[bytes] = set()
        self._flight.slots.clear()

    def asked(self, path: bytes, body: bytes, reply: Callable[[bytes], None]) -> None:
        match path:
            case b"/v1/chat/completions":
                self._chat(body, reply)
            case b"/report":
                reply(orjson.dumps(self._report()))
            case b"/reset":
                self._reset()
                reply(b"{}")
            case _:
                raise AssertionError(f"nothing is at {path!r}")

    def _chat(self, body: bytes, reply: Callable[[bytes], None]) -> None:
        self._last = time.monotonic()
        self._first = self._first or self._last
        self._calls += 1
        self._flight.change(+1)
        question = orjson.loads(body)["messages"][-1]["content"]
        digest = hashlib.sha256(question.encode()).digest()
        self._seen.add(digest)
        asyncio.get_running_loop().call_later(self._latency_seconds, self._answer, digest, reply)

    def _answer(self, digest: bytes, reply: Callable[[bytes], None]) -> None:
        self._flight.change(-1)
        reply(answer(digest))

    def _report(self) -> dict[str, Any]:
        return {
            "calls": self._calls,
            "repeated": self._calls - len(self._seen),
            "seconds": self._last - self._first,
            "slots": self._flight.slots,
        }

    async def serve(self) -> None:
        server = await asyncio.get_running_loop().create_server(
            lambda: Conversation(self), "127.0.0.1", 0, backlog=1024
        )
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await self._flight.watch()


class Conversation(asyncio.Protocol):
    """One connection, with one request at a time. No web framework: a real provider does not take its time from us."""

    _transport: asyncio.Transport

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, body = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not ended or len(body) < (size := int(length[1]) if length else 0):
            return
        self._received = body[size:]
        self._provider.asked(head.split(b" ", 2)[1], body[:size], self._reply)

    def _reply(self, body: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"%b%d\r\n\r\n%b" % (HEAD, len(body), body))


def answer(digest: bytes) -> bytes:
    text = REFUSAL if digest[0] % 16 < REFUSALS_IN_16 else HELP
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100}
    return orjson.dumps(
        {"id": "x", "object": "chat.completion", "created": 0, "model": "mock", "choices": [choice], "usage": usage}
    )


if __name__ == "__main__":
    uvloop.run(Provider(float(sys.argv[1])).serve())
