"""Starts a service as a process on free ports, and reads its peak memory."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio

from libra.local import settings
from libra.local.servers import MongoServer, free_port
from libra.rpc.client import channel

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """A running service."""

    channel: grpc.aio.Channel
    address: str
    pid: int

    def peak_mib(self) -> float:
        """Return the peak memory since its start."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found
        return int(found[1]) / 1024


@asynccontextmanager
async def running(
    service: str, nats_url: str, mongo: MongoServer, database: str, **variables: str
) -> AsyncIterator[ServiceProcess]:
    """Run the service until the block ends; its process must end cleanly."""
    address, name = f"127.0.0.1:{free_port()}", service.upper()
    environ = settings.inherited_environment() | {
        "LIBRA_NATS_URL": nats_url,
        "LIBRA_MONGO_URL": mongo.url,
        "LIBRA_MONGO_DATABASE": database,
        f"LIBRA_{name}_LISTEN": address,
        f"LIBRA_{name}_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
        **variables,
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", f"libra.{service}", env=environ)
    try:
        async with channel(address) as opened:
            yield ServiceProcess(opened, address, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(40):
            assert await process.wait() == 0
