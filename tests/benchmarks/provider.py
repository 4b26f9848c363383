"""A provider that answers after a fixed time, and counts: `python -m tests.benchmarks.provider LATENCY_SECONDS`.

It prints its port. `GET /report` tells what has come since `POST /reset`: requests, repeated ones, and how many were in flight
in each tenth of a second.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import time

import orjson
import uvloop
from aiohttp import web

SLOT_SECONDS = 0.1
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
    def __init__(self, latency_seconds: float) -> None:
        self._latency_seconds = latency_seconds
        self._flight = Flight()
        self._reset()

    def _reset(self) -> None:
        self._calls, self._first, self._last = 0, 0.0, 0.0
        self._seen: dict[bytes, int] = {}
        self._flight.slots.clear()

    async def chat(self, request: web.Request) -> web.Response:
        body = await request.read()
        self._last = time.monotonic()
        self._first = self._first or self._last
        self._calls += 1
        self._flight.change(+1)
        question = orjson.loads(body)["messages"][-1]["content"]
        digest = hashlib.sha256(question.encode()).digest()
        self._seen[digest] = self._seen.get(digest, 0) + 1
        try:
            await asyncio.sleep(self._latency_seconds)
            return web.Response(body=answer(digest), content_type="application/json")
        finally:
            self._flight.change(-1)

    async def report(self, _: web.Request) -> web.Response:
        told = {
            "calls": self._calls,
            "repeated": self._calls - len(self._seen),
            "seconds": self._last - self._first,
            "slots": self._flight.slots,
        }
        return web.Response(body=orjson.dumps(told), content_type="application/json")

    async def reset(self, _: web.Request) -> web.Response:
        self._reset()
        return web.Response()

    async def serve(self) -> None:
        app = web.Application()
        app.add_routes(
            [
                web.post("/v1/chat/completions", self.chat),
                web.get("/report", self.report),
                web.post("/reset", self.reset),
            ]
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        sys.stdout.write(f"{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await self._flight.watch()


def answer(digest: bytes) -> bytes:
    text = REFUSAL if digest[0] % 16 < REFUSALS_IN_16 else HELP
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100}
    return orjson.dumps(
        {"id": "x", "object": "chat.completion", "created": 0, "model": "mock", "choices": [choice], "usage": usage}
    )


if __name__ == "__main__":
    uvloop.run(Provider(float(sys.argv[1])).serve())
