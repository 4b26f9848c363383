"""The lease that makes one replica of dispatch the only one to schedule a run."""

from __future__ import annotations

import asyncio

from libra.store.runs import RunCollection


class RunLease:
    """Acquires, renews and releases the lease of one run. It expires `ttl_seconds` after the last renewal."""

    def __init__(self, runs: RunCollection, run_id: str, holder: str, ttl_seconds: float) -> None:
        self._runs, self._run_id, self._holder, self._ttl_seconds = runs, run_id, holder, ttl_seconds
        self._renewed_seconds = 0.0

    async def acquire(self) -> bool:
        """Acquire or renew the lease; return False if another replica holds it or the run has ended."""
        now_seconds = asyncio.get_running_loop().time()
        acquired = await self._runs.acquire_lease(self._run_id, self._holder, self._ttl_seconds)
        self._renewed_seconds = now_seconds
        return acquired

    async def is_held(self) -> bool:
        """Return whether this replica still holds the lease; renew it when a third of its time has passed."""
        if asyncio.get_running_loop().time() - self._renewed_seconds < self._ttl_seconds / 3:
            return True
        return await self.acquire()

    async def release(self) -> None:
        """Release the lease if this replica holds it."""
        await self._runs.release_lease(self._run_id, self._holder)
