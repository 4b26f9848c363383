"""Runs, in memory."""

from __future__ import annotations

from datetime import timedelta

from libra.errors import Conflict
from libra.store.proto_documents import Document
from libra.store.runs import FINISHED, RUNNING, RunRecord, run_from_document, run_to_document
from libra.testing.memory.transport import MemoryClient
from libra.v1.run_pb2 import RunState


class MemoryRuns:
    """As `libra.store.runs.Runs`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def insert(self, record: RunRecord) -> RunRecord:
        """Store a run and return it, or the run that its request_id was given to before; Conflict if the id is taken."""
        document = run_to_document(record)
        if not record.run.HasField("create_time"):
            document["run"]["create_time"] = self._server.now()

        def kept() -> RunRecord | None:
            for other in self._server.runs.values():
                if record.request_id and other.get("request_id") == record.request_id:
                    return run_from_document(other)
            if self._server.runs.setdefault(record.run.id, document) is not document:
                return None
            return run_from_document(document)

        there = await self._client.send(kept)
        if there is None:
            raise Conflict(f"there is a run {record.run.id!r} already", field="run.id")
        return there

    async def get(self, run: str) -> RunRecord | None:
        """Return one run."""
        found = await self._client.send(lambda: [run_from_document(one) for one in self._only(run)])
        return found[0] if found else None

    async def find_by_request_id(self, request_id: str) -> RunRecord | None:
        """Return the run that was created under this request_id."""
        found = await self._client.send(
            lambda: [
                run_from_document(one) for one in self._server.runs.values() if one.get("request_id") == request_id
            ]
        )
        return found[0] if found else None

    async def get_state(self, run: str) -> RunState.ValueType | None:
        """Return whether a run is running, finished or cancelled; None if it is unknown."""
        found: list[RunState.ValueType] = await self._client.send(
            lambda: [one["run"]["state"] for one in self._only(run)]
        )
        return found[0] if found else None

    async def list_running(self) -> list[RunRecord]:
        """Return every run that has not ended, the oldest first."""
        return await self._client.send(
            lambda: [run_from_document(one) for one in self._in_order() if self._is_running(one)]
        )

    async def get_finished_revisions(self) -> dict[str, int]:
        """Return the revision of every run that finished, by id, the oldest first."""
        return await self._client.send(
            lambda: {one["_id"]: one["run"]["revision"] for one in self._in_order() if one["run"]["state"] == FINISHED}
        )

    async def acquire_lease(self, run: str, holder: str, ttl_seconds: float) -> bool:
        """Take or renew the right to send a run's trials; return whether `holder` has it now."""

        def take() -> bool:
            for one in self._only(run):
                lease, now = one.get("lease"), self._server.now()
                free = lease is None or lease["holder"] == holder or lease["until"] < now
                if free and self._is_running(one):
                    one["lease"] = {"holder": holder, "until": now + timedelta(seconds=ttl_seconds)}
                    return True
            return False

        return await self._client.send(take)

    async def release_lease(self, run: str, holder: str) -> None:
        """Give the right back, if `holder` has it."""

        def give() -> None:
            for one in self._only(run):
                if one.get("lease", {}).get("holder") == holder:
                    del one["lease"]

        await self._client.send(give)

    async def advance_cursor(self, run: str, model: str, cursor: int) -> None:
        """Note how many trials of a model have been sent; the higher number stays. ValueError if there is no such model."""

        def raise_it() -> bool:
            cursors = [each for one in self._only(run) for each in one["cursors"] if each["model"] == model]
            for each in cursors:
                each["sent"] = max(each["sent"], cursor)
            return bool(cursors)

        if not await self._client.send(raise_it):
            raise ValueError(f"the run {run!r} has no model {model!r}")

    async def mark_ended(self, run: str, state: int) -> bool:
        """Finish or cancel a run that is running; return False if it had ended, or is unknown."""

        def finish() -> bool:
            for one in self._only(run):
                if self._is_running(one):
                    one["run"] |= {
                        "state": state,
                        "revision": one["run"]["revision"] + 1,
                        "end_time": self._server.now(),
                    }
                    one.pop("lease", None)
                    return True
            return False

        return await self._client.send(finish)

    async def list(self, *, before: str = "", limit: int) -> list[RunRecord]:
        """Return up to `limit` runs, the newest first, those older than the id `before`."""
        return await self._client.send(
            lambda: [run_from_document(one) for one in reversed(self._in_order()) if not before or one["_id"] < before][
                :limit
            ]
        )

    def _only(self, run: str) -> tuple[Document, ...]:
        return (self._server.runs[run],) if run in self._server.runs else ()

    def _in_order(self) -> tuple[Document, ...]:
        return tuple(self._server.runs[run] for run in sorted(self._server.runs))

    @staticmethod
    def _is_running(document: Document) -> bool:
        return bool(document["run"]["state"] == RUNNING)
