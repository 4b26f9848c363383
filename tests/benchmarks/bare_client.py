"""The ceiling: nothing but aiohttp, a number of requests in flight: `python -m tests.benchmarks.bare_client URL FLIGHT N`.

It prints the seconds it took and the CPU seconds it used.
"""

from __future__ import annotations

import asyncio
import sys
import time

import aiohttp
import uvloop

from .prompts import question


async def main(url: str, in_flight: int, number: int) -> None:
    free = asyncio.Semaphore(in_flight)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as session:

        async def one(place: int) -> str:
            messages = [{"role": "user", "content": question(place)}]
            body = {"model": "mock", "messages": messages, "max_tokens": 512}
            async with free, session.post(f"{url}/chat/completions", json=body) as response:
                answer: str = (await response.json())["choices"][0]["message"]["content"]
                return answer

        started, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*[one(place) for place in range(number)])
        sys.stdout.write(f"{time.perf_counter() - started} {time.process_time() - used}\n")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
