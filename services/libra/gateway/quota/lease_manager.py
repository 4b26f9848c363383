"""The lease renewers of all channels: each starts with its channel, and ends when its lease holds nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from libra.bus.kv_bucket import KeyValueBucket
from libra.bus.nats_bus import NatsBus
from libra.bus.streams import GRANTS, event_grants
from libra.gateway.model_channel import ModelChannel
from libra.gateway.quota.lease_registration import LeaseHolders
from libra.gateway.quota.lease_renewer import LeaseRenewer, LeaseTiming
from libra.v1.model_pb2 import Provider

RELEASE_SECONDS = 2.0
CANCEL_AGAIN_SECONDS = 0.1


class LeaseManager:
    """Holds a lease for every channel whose model other replicas also use. A scripted model has no limits to share.

    Implements `libra.gateway.model_channel.ChannelObserver`.
    """

    def __init__(self, bus: NatsBus, timing: LeaseTiming, holders: LeaseHolders | None = None) -> None:
        """`holders`: the records by which a replica that is alone need not wait for a new lease table."""
        self._bus, self._timing, self._holders = bus, timing, holders
        self._bucket = KeyValueBucket(bus, GRANTS)
        self._renewers: dict[ModelChannel, tuple[LeaseRenewer, asyncio.Task[None]]] = {}
        self._listening: asyncio.Task[None] | None = None

    def on_created(self, channel: ModelChannel) -> None:
        """Keep the channel within a lease from now on."""
        if channel.model.provider == Provider.PROVIDER_SCRIPTED:
            return
        renewer = LeaseRenewer(channel, self._bucket, self._timing, self._announce, self._holders)
        task = asyncio.create_task(renewer.run(), name=f"lease renewer of {channel.model.name}")
        self._renewers[channel] = renewer, task
        self._listening = self._listening or asyncio.create_task(self._listen(), name="lease changes of other replicas")

    def on_retired(self, channel: ModelChannel) -> None:
        """Release the channel's lease as its use ends."""
        if channel in self._renewers:
            self._renewers[channel][0].retire()

    def check(self) -> None:
        """Raise the error that ended a renewer, and forget renewers that are done."""
        tasks = [self._listening] if self._listening else []
        for task in [*tasks, *(task for _, task in self._renewers.values())]:
            if task.done():
                task.result()
        self._renewers = {channel: entry for channel, entry in self._renewers.items() if not entry[1].done()}

    async def close(self) -> None:
        """Release every lease. Call it when no request is in flight any more."""
        tasks = [task for _, task in self._renewers.values()]
        if self._listening:
            tasks.append(self._listening)
        await cancel_all(tasks)
        releases = [asyncio.create_task(renewer.release()) for renewer, _ in self._renewers.values()]
        if releases:
            _, late = await asyncio.wait(releases, timeout=RELEASE_SECONDS)
            for task in late:
                task.cancel()

    async def _announce(self, model: str, holder: str) -> None:
        await self._bus.signal(event_grants(model), holder.encode())

    async def _listen(self) -> None:
        async for subject, holder in self._bus.listen(event_grants("*")):
            for channel, (renewer, _) in self._renewers.items():
                if subject == event_grants(channel.model.name) and holder != renewer.holder.encode():
                    renewer.on_table_changed()


async def cancel_all(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel the tasks until all have ended: before Python 3.12, `asyncio.wait_for` may lose a cancellation."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_SECONDS)
