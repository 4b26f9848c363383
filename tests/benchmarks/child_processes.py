"""The processes that stand beside the pipeline: the provider and the bare client."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

BARE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Standin:
    """The provider's process."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def reset(self) -> None:
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.port}/reset", method="POST")):
            pass

    def report(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/report") as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@contextmanager
def provider(latency_seconds: float) -> Iterator[Standin]:
    command = [sys.executable, "-m", "tests.benchmarks.standin_provider", str(latency_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield Standin(process.pid, int(process.stdout.readline()))
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class Bare:
    """What the bare client took for its requests."""

    requests: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


async def bare_client(url: str, in_flight: int, number: int) -> Bare:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.bare_client", url, str(in_flight), str(number)),
        stdout=subprocess.PIPE,
    )
    async with asyncio.timeout(BARE_SECONDS):
        said, _ = await process.communicate()
    seconds, cpu_seconds = map(float, said.split())
    return Bare(number, seconds, cpu_seconds)
