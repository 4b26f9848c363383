"""The health reports of gateways and the parked models, in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from libra.store.documents.proto_documents import Document
from libra.store.models.health import FleetHealth, HealthReport, merge, report_to_document
from libra.store.models.parked import ParkedModel, is_current
from libra.testing.memory.transport import MemoryClient


class MemoryModelHealth:
    """The twin of `libra.store.models.health.HealthCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def write(self, reports: Sequence[HealthReport]) -> None:
        """Replace what the replica reported about these models before."""

        def replace() -> None:
            for report in reports:
                document = report_to_document(report) | {"time": self._server.now()}
                self._server.model_health[report.model, report.replica] = document

        await self._client.send(replace)

    async def list(self, models: Collection[str] | None = None) -> dict[str, FleetHealth]:
        """Return what the replicas know of each model that one of them has reported about."""

        def by_model() -> dict[str, FleetHealth]:
            found: dict[str, list[Document]] = {}
            for (model, _), document in self._server.model_health.items():
                if models is None or model in models:
                    found.setdefault(model, []).append(document | {"now": self._server.now()})
            return {model: merge(documents) for model, documents in found.items()}

        return await self._client.send(by_model)


class MemoryParkedModels:
    """The twin of `libra.store.models.parked.ParkedModels`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def park(
        self, model: str, cause: str, reason: str, probe_after_seconds: float, *, is_named: bool = False
    ) -> None:
        """Park a model, unless another replica has parked it before."""

        def park() -> None:
            now, known = self._server.now(), self._server.parked_models.get(model)
            if known is None or not is_current(known["touch_time"], now):
                entry = {"_id": model, "cause": cause, "reason": reason, "probes": 0, "park_time": now}
                entry["is_named"] = is_named
                entry |= {"touch_time": now, "probe_time": now + timedelta(seconds=probe_after_seconds)}
                self._server.parked_models[model] = entry

        await self._client.send(park)

    async def claim_probe(self, model: str, seconds: float) -> bool:
        """Return whether this replica sends the next probe; True if the model has no entry."""

        def claim() -> bool:
            entry, now = self._server.parked_models.get(model), self._server.now()
            if entry is None:
                return True
            if entry["probe_time"] > now:
                return False
            later = {"probe_time": now + timedelta(seconds=seconds), "touch_time": now, "probes": entry["probes"] + 1}
            entry.update(later)
            return True

        return await self._client.send(claim)

    async def postpone(
        self, model: str, cause: str, reason: str, probe_after_seconds: float, *, is_named: bool = False
    ) -> None:
        """Set the time of the next probe, after one that failed."""
        later: Document = {"cause": cause, "reason": reason, "is_named": is_named}
        await self._change(model, later, probe_after_seconds)

    async def hasten(self, model: str) -> None:
        """Make the next probe due now."""
        await self._change(model, {}, 0)

    async def touch(self, model: str) -> None:
        """Keep an entry current."""
        await self._change(model, {}, None)

    async def unpark(self, model: str) -> None:
        """Remove the entry of a model."""
        await self._client.send(lambda: self._server.parked_models.pop(model, None))

    async def list(self) -> dict[str, ParkedModel]:
        """Return the parked models by name."""

        def current() -> dict[str, ParkedModel]:
            now = self._server.now()
            return {
                model: ParkedModel.from_document(entry | {"now": now})
                for model, entry in self._server.parked_models.items()
                if is_current(entry["touch_time"], now)
            }

        return await self._client.send(current)

    async def _change(self, model: str, change: Document, probe_after_seconds: float | None) -> None:
        def apply() -> None:
            now = self._server.now()
            if entry := self._server.parked_models.get(model):
                entry.update(change | {"touch_time": now})
                if probe_after_seconds is not None:
                    entry["probe_time"] = now + timedelta(seconds=probe_after_seconds)

        await self._client.send(apply)
