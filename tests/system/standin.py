"""A provider with a latency, which counts what it was asked and answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

LATENCY_SECONDS = 0.2


class StandIn:
    """Answers every question alike after 0.2 s."""

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.url = ""

    @property
    def repeated(self) -> int:
        """Answers beyond the first to the same question."""
        return sum(self.answered.values()) - len(self.answered)

    async def chat(self, request: web.Request) -> web.Response:
        question = await request.text()
        await asyncio.sleep(LATENCY_SECONDS)
        self.answered[question] += 1
        message = {"role": "assistant", "content": "I'm sorry, but I can't help with that."}
        return web.json_response({"choices": [{"index": 0, "finish_reason": "stop", "message": message}]})


@asynccontextmanager
async def serving() -> AsyncIterator[StandIn]:
    standin, app = StandIn(), web.Application()
    app.add_routes([web.post("/v1/chat/completions", standin.chat)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    standin.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield standin
    finally:
        await runner.cleanup()
