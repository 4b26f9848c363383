"""The processes outside the pipeline: the stand-in provider and the bare client."""

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

BARE_CLIENT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class StandinProcess:
    """The process of the stand-in provider."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def reset(self) -> None:
        """Delete the record of requests."""
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.port}/reset", method="POST")):
            pass

    def report(self) -> dict[str, Any]:
        """Return the record of requests since the last reset."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/report") as response:
            report: dict[str, Any] = json.load(response)
            return report


@contextmanager
def standin_provider(latency_seconds: float) -> Iterator[StandinProcess]:
    """Run the stand-in provider inside the block."""
    command = [sys.executable, "-m", "tests.benchmarks.standin_provider", str(latency_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield StandinProcess(process.pid, int(process.stdout.readline()))
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class BareClientRun:
    """One run of the bare client."""

    requests: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


async def run_bare_client(url: str, in_flight: int, requests: int) -> BareClientRun:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.bare_client", url, str(in_flight), str(requests)),
        stdout=subprocess.PIPE,
    )
    async with asyncio.timeout(BARE_CLIENT_SECONDS):
        output, _ = await process.communicate()
    seconds, cpu_seconds = map(float, output.split())
    return BareClientRun(requests, seconds, cpu_seconds)
