"""Runs, in memory."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from libra.store.documents.proto_documents import Document
from libra.store.documents.team_filter import is_changeable, is_visible
from libra.store.runs import (
    BUDGET_EXHAUSTED,
    FINISHED,
    RUNNING,
    TEAM,
    RunRecord,
    duplicate_run,
    run_from_document,
    run_to_document,
    states_before,
    unknown_model,
)
from libra.testing.memory.transport import MemoryClient
from libra.v1.run_pb2 import RunState


class MemoryRuns:
    """The twin of `libra.store.runs.RunCollection`."""

    def __init__(self, client: MemoryClient) -> None:
        self._client, self._server = client, client.server

    async def insert(self, record: RunRecord) -> RunRecord:
        """Store a run and return it, or return the run with the same request_id; raise Conflict if the id is taken."""
        document = run_to_document(record)
        if not record.run.HasField("create_time"):
            document["run"]["create_time"] = self._server.now()

        def insert_or_find() -> RunRecord | None:
            for other in self._server.runs.values():
                if record.request_id and other.get("request_id") == record.request_id:
                    return run_from_document(other)
            if self._server.runs.setdefault(record.run.id, document) is not document:
                return None
            return run_from_document(document)

        stored = await self._client.send(insert_or_find)
        if stored is None:
            raise duplicate_run(record)
        return stored

    async def get(self, run: str) -> RunRecord | None:
        """Return one run; None if it is unknown."""
        found = await self._client.send(lambda: [run_from_document(document) for document in self._find(run)])
        return found[0] if found else None

    async def find_by_request_id(self, request_id: str) -> RunRecord | None:
        """Return the run that was created with this request_id; None if there is none."""
        found = await self._client.send(
            lambda: [
                run_from_document(document) for document in self._sorted() if document.get("request_id") == request_id
            ]
        )
        return found[0] if found else None

    async def get_state(self, run: str) -> RunState.ValueType | None:
        """Return whether a run is running, finished or cancelled; None if it is unknown."""
        found: list[RunState.ValueType] = await self._client.send(
            lambda: [document["run"]["state"] for document in self._find(run)]
        )
        return found[0] if found else None

    async def list_running(self) -> list[RunRecord]:
        """Return every run that sends trials, the oldest first."""
        return await self.list_in_states({RUNNING})

    async def list_in_states(self, states: Collection[int]) -> list[RunRecord]:
        """Return every run in one of these states, the oldest first."""
        return await self._client.send(
            lambda: [run_from_document(document) for document in self._sorted() if document["run"]["state"] in states]
        )

    async def list_of_round(self, round_name: str) -> list[RunRecord]:
        """Return every run of a round, the oldest first."""
        return await self._client.send(
            lambda: [run_from_document(document) for document in self._sorted() if _round(document) == round_name]
        )

    async def get_finished_revisions(self, round_name: str = "") -> dict[str, int]:
        """Return the revision of every finished run of a round, or of those of no round: by id, the oldest first."""
        return await self._client.send(
            lambda: {
                document["_id"]: document["run"]["revision"]
                for document in self._sorted()
                if document["run"]["state"] == FINISHED and _round(document) == round_name
            }
        )

    async def acquire_lease(self, run: str, holder: str, ttl_seconds: float) -> bool:
        """Acquire or renew the lease to send a run's trials; return whether `holder` has it now."""

        def acquire() -> bool:
            for document in self._find(run):
                lease, now = document.get("lease"), self._server.now()
                is_free = lease is None or lease["holder"] == holder or lease["until"] < now
                if is_free and _is_running(document):
                    document["lease"] = {"holder": holder, "until": now + timedelta(seconds=ttl_seconds)}
                    return True
            return False

        return await self._client.send(acquire)

    async def release_lease(self, run: str, holder: str) -> None:
        """Release the lease if `holder` has it."""

        def release() -> None:
            for document in self._find(run):
                if document.get("lease", {}).get("holder") == holder:
                    del document["lease"]

        await self._client.send(release)

    async def advance_cursor(self, run: str, model: str, cursor: int) -> None:
        """Store how many trials of a model have been sent; the higher value stays. ValueError for an unknown model."""

        def advance() -> bool:
            cursors = [each for document in self._find(run) for each in document["cursors"] if each["model"] == model]
            for each in cursors:
                each["sent"] = max(each["sent"], cursor)
            return bool(cursors)

        if not await self._client.send(advance):
            raise unknown_model(run, model)

    async def change_state(self, run: str, states: Collection[int], state: int, changes: int = 1) -> bool:
        """Move a run that is in one of `states` to `state`; return False if it is in none of them."""

        def change() -> bool:
            for document in self._find_changeable(run):
                if document["run"]["state"] in states:
                    document["run"]["state"] = state
                    document["run"].pop("end_time", None)
                    document["changes"] = document.get("changes", 0) + changes
                    document.pop("unannounced", None)
                    if state == BUDGET_EXHAUSTED and state not in states:
                        document["unannounced"] = True
                    document.pop("lease", None)
                    return True
            return False

        return await self._client.send(change)

    async def mark_ended(self, run: str, state: int) -> bool:
        """Finish a running run, or cancel a running or stopped one; return False for any other."""

        def end() -> bool:
            for document in self._find_changeable(run):
                if document["run"]["state"] in states_before(state):
                    document["run"] |= {
                        "state": state,
                        "revision": document["run"]["revision"] + 1,
                        "end_time": self._server.now(),
                    }
                    document["unannounced"] = True
                    document.pop("lease", None)
                    return True
            return False

        return await self._client.send(end)

    async def list_unannounced(self, limit: int) -> list[RunRecord]:
        """Return ended runs that no notification was stored for yet."""

        def find() -> list[RunRecord]:
            found = [document for document in self._sorted() if "unannounced" in document]
            return [run_from_document(document) for document in found[:limit]]

        return await self._client.send(find)

    async def mark_announced(self, run: str) -> None:
        """Record that a notification is stored."""
        await self._client.send(lambda: [document.pop("unannounced", None) for document in self._find(run)])

    async def list(self, *, before: str = "", limit: int) -> list[RunRecord]:
        """Return up to `limit` runs, the newest first, those older than the id `before`."""

        def newest() -> list[RunRecord]:
            older = [document for document in self._sorted() if not before or document["_id"] < before]
            return [run_from_document(document) for document in reversed(older)][:limit]

        return await self._client.send(newest)

    def _find(self, run: str) -> tuple[Document, ...]:
        document = self._server.runs.get(run)
        return (document,) if document is not None and is_visible(document, TEAM) else ()

    def _find_changeable(self, run: str) -> tuple[Document, ...]:
        return tuple(document for document in self._find(run) if is_changeable(document, TEAM))

    def _sorted(self) -> tuple[Document, ...]:
        documents = (self._server.runs[run] for run in sorted(self._server.runs))
        return tuple(document for document in documents if is_visible(document, TEAM))


def _round(document: Document) -> str:
    return str(document["run"]["spec"].get("round", ""))


def _is_running(document: Document) -> bool:
    return bool(document["run"]["state"] == RUNNING)
