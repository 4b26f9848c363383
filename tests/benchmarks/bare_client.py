"""An upper bound for the pipeline: a plain aiohttp client with a number of requests in flight.

    python -m tests.benchmarks.bare_client URL IN_FLIGHT REQUESTS

It prints the elapsed seconds and the CPU seconds that it used.
"""

from __future__ import annotations

import asyncio
import sys
import time

import aiohttp
import uvloop

from .prompts import prompt


async def main(url: str, in_flight: int, requests: int) -> None:
    permits = asyncio.Semaphore(in_flight)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as session:

        async def complete(number: int) -> str:
            messages = [{"role": "user", "content": prompt(number)}]
            body = {"model": "mock", "messages": messages, "max_tokens": 512}
            async with permits, session.post(f"{url}/chat/completions", json=body) as response:
                answer: str = (await response.json())["choices"][0]["message"]["content"]
                return answer

        started, cpu_started = time.perf_counter(), time.process_time()
        await asyncio.gather(*[complete(number) for number in range(requests)])
        sys.stdout.write(f"{time.perf_counter() - started} {time.process_time() - cpu_started}\n")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
