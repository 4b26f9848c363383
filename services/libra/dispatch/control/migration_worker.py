"""Run the migrations of the store after a start, while the service works."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from ulid import ULID

from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.store.client import Store
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

RETRY_SECONDS = 10.0


class MigrationWorker:
    """Each replica runs one; the lease lets one of them work."""

    def __init__(self, store: Store, retry_seconds: float = RETRY_SECONDS) -> None:
        self._runner, self._retry_seconds = store.migration_runner(str(ULID())), retry_seconds

    async def work(self, stop: asyncio.Event) -> None:
        """Run the migrations until none is left, then wait until `stop` is set."""
        while not stop.is_set():
            with contextlib.suppress(Unavailable):  # readiness reports it
                if await self._runner.run():
                    log.info("the documents have the newest version", action=Action.SCHEMA_CURRENT)
                    await stop.wait()
            await wait_until_set(stop, self._retry_seconds)
