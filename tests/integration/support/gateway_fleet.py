"""Gateway processes that share a queue, a store and a provider."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from libra.bus.nats_bus import NatsBus
from libra.bus.streams import work_gateway
from libra.local import settings
from libra.stage.bus import Outgoing
from libra.testing.scripted_provider import ScriptedProvider
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch
from libra.v1.message_pb2 import Message

READY_SECONDS = 60.0


@dataclass
class Gateway:
    """One `python -m libra.gateway`."""

    process: subprocess.Popen[bytes]
    log: Path

    async def wait_until_ready(self) -> str:
        """Wait until the gateway is ready; return its address."""
        await self._log_line("process_ready")
        return f"127.0.0.1:{(await self._log_line('process_started'))['grpc_port']}"

    async def _log_line(self, action: str) -> dict[str, int]:
        async with asyncio.timeout(READY_SECONDS):
            while True:
                for text in self.log.read_text().splitlines(keepends=True):
                    if f'"{action}"' in text and text.endswith("\n"):
                        line: dict[str, int] = json.loads(text)
                        return line
                await asyncio.sleep(0.05)


@dataclass
class Fleet:
    """Starts and kills gateway processes."""

    folder: Path
    variables: dict[str, str]
    gateways: list[Gateway] = field(default_factory=list)

    def start(self) -> Gateway:
        log = self.folder / f"gateway-{len(self.gateways)}.log"
        with log.open("wb") as out:
            command = [sys.executable, "-m", "libra.gateway"]
            process = subprocess.Popen(
                command, stdout=out, stderr=out, env=settings.inherited_environment() | self.variables
            )
        self.gateways.append(Gateway(process, log))
        return self.gateways[-1]

    def kill(self) -> None:
        for gateway in self.gateways:
            gateway.process.kill()
            gateway.process.wait(10)


@contextmanager
def fleet(folder: Path, nats_url: str, mongo_url: str, database: str, **variables: str) -> Iterator[Fleet]:
    """Yield a fleet without gateways, and kill all its gateways at the end."""
    shared = {
        "LIBRA_NATS_URL": nats_url,
        "LIBRA_MONGO_URL": mongo_url,
        "LIBRA_MONGO_DATABASE": database,
        "LIBRA_GATEWAY_ALLOWED_NETWORKS": "loopback",
        "LIBRA_GATEWAY_LISTEN": "127.0.0.1:0",
        "LIBRA_GATEWAY_METRICS_LISTEN": "127.0.0.1:0",
    }
    started = Fleet(folder, shared | variables)
    try:
        yield started
    finally:
        started.kill()


async def send(bus: NatsBus, model: str, trials: int, run: str = "run") -> None:
    """Publish different trials for a model."""
    for start in range(0, trials, 64):
        samples = range(start, min(start + 64, trials))
        batch_trials = [Trial(sample=n, messages=[Message(role="user", content=f"{run}/{model}/{n}")]) for n in samples]
        batch = TrialBatch(header=BatchHeader(run=run, model=model, task="t@1", attack="none"), trials=batch_trials)
        await bus.publish(Outgoing(work_gateway(model), f"{run}/{model}/{start}", batch.SerializeToString()), {})


@dataclass
class InFlightSampler:
    """Samples the requests in flight at the provider, 50 times a second."""

    provider: ScriptedProvider
    samples: list[tuple[float, int]] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            self.samples.append((time.monotonic(), self.provider.in_flight))
            await asyncio.sleep(0.02)

    def mean(self, start: float, stop: float) -> float:
        numbers = [level for at, level in self.samples if start <= at < stop]
        return sum(numbers) / len(numbers)
