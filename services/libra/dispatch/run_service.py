"""RunService: create, read, list, watch and cancel runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import grpc.aio
import structlog
from ulid import ULID

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.core.access import team_scope
from libra.core.errors import Conflict, FailedPrecondition, Invalid, NotFound
from libra.core.spending.budget_ledger import Ledger
from libra.dispatch.remote_catalogues import RemoteCatalogues
from libra.dispatch.rounds.round_runs import RoundRuns
from libra.dispatch.run_view import build_run_view, has_ended, is_running, models_of
from libra.dispatch.scheduling.run_progress import RunProgress
from libra.dispatch.spec.budget_fields import check_budget, limit_of
from libra.dispatch.spec.judge_fields import check_judge_fields
from libra.dispatch.spec.judge_resolution import check_judge_results
from libra.dispatch.spec.owner import RunOwners
from libra.dispatch.spec.rejudge import resolve_rejudge
from libra.dispatch.spec.run_spec import ResolvedSpec, resolve
from libra.rpc import paging
from libra.rpc.request_hash import hash_request
from libra.store.client import Store
from libra.store.runs import RunRecord
from libra.telemetry.log_actions import Action
from libra.v1 import run_pb2_grpc
from libra.v1.run_pb2 import (
    CancelRunRequest,
    CancelRunResponse,
    CreateRunRequest,
    CreateRunResponse,
    GetRunRequest,
    GetRunResponse,
    ListRunsRequest,
    ListRunsResponse,
    ModelProgress,
    Run,
    RunSpec,
    RunState,
    WatchRunRequest,
    WatchRunResponse,
)

log = structlog.get_logger(__name__)

MAX_REQUEST_ID_CHARACTERS = 64
WATCH_POLL_SECONDS = 0.5
HEARTBEAT_SECONDS = 10.0
HEALTH_SECONDS = 1.0
"""The shortest time between two messages of which the second only shows another health of a model."""


class RunService(run_pb2_grpc.RunServiceServicer):
    """Serves runs from the store; the supervisor of any replica schedules what it creates."""

    def __init__(self, store: Store, bus: NatsBus, catalogues: RemoteCatalogues, wake: Callable[[], None]) -> None:
        self._store, self._bus, self._catalogues, self._wake = store, bus, catalogues, wake
        self._page_tokens = paging.PageTokens(store.load_page_token_key)
        self._rounds, self._owners = RoundRuns(store), RunOwners(store)

    async def CreateRun(self, request: CreateRunRequest, context: grpc.aio.ServicerContext) -> CreateRunResponse:
        """Check the spec, store the run and start it."""
        return await self.create(request)

    async def create(self, request: CreateRunRequest) -> CreateRunResponse:
        """Do the same for a caller in this process. A repeat with the same request_id returns the first run."""
        if len(request.request_id) > MAX_REQUEST_ID_CHARACTERS:
            raise Invalid(f"it has more than {MAX_REQUEST_ID_CHARACTERS} characters", field="request_id")
        request_hash, request_id = hash_request(request), team_scope.qualified(request.request_id)
        # Before the spec is checked: a repeat may name a model or task that was deleted since.
        if request_id and (first := await self._store.runs.find_by_request_id(request_id)):
            check_repeat(first, request_hash)
            return CreateRunResponse(run=await self.view(first))
        team = await self._owners.owner_of(request.spec)
        with team_scope.acting_for(team):
            resolved = await self.resolve(request.spec)
        run = Run(id=str(ULID()), spec=resolved.spec, state=RunState.RUN_STATE_RUNNING, team=team)
        if run.spec.HasField("budget"):  # before the run: a gateway must find it
            await self._store.budgets.add(run.id, Ledger(limit_of(run.spec.budget)))
        record = await self._store.runs.insert(
            RunRecord(
                run=run,
                sections=list(resolved.sections),
                request_id=request_id,
                request_hash=request_hash,
            )
        )
        if record.run.id == run.id:
            await self._check_round(record)
            self._wake()
            log.info("a run was created", action=Action.RUN_CREATED, run=run.id)
        else:  # another replica stored a run with this request_id meanwhile
            check_repeat(record, request_hash)
        return CreateRunResponse(run=await self.view(record), warnings=resolved.warnings)

    async def GetRun(self, request: GetRunRequest, context: grpc.aio.ServicerContext) -> GetRunResponse:
        """Return one run with its counts."""
        return GetRunResponse(run=await self.view(await self.record(request.id)))

    async def ListRuns(self, request: ListRunsRequest, context: grpc.aio.ServicerContext) -> ListRunsResponse:
        """Return a page of runs, the newest first."""
        size = paging.page_size(request.page_size, default=50, maximum=500)
        before = await self._page_tokens.decode(request.page_token, "runs")
        records = await self._store.runs.list(before=before, limit=size + 1)
        runs = await asyncio.gather(*(self.view(record) for record in records[:size]))
        token = await self._page_tokens.encode(records[size - 1].run.id, "runs") if len(records) > size else ""
        return ListRunsResponse(runs=runs, next_page_token=token)

    async def WatchRun(
        self, request: WatchRunRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[WatchRunResponse]:
        """Yield the run at each change, and a heartbeat while there is none, until the run has ended.

        A change of a model's health has no revision of its own: it comes as a heartbeat, within two seconds.
        """
        revision, sent_seconds = request.after_revision, time.monotonic()
        shown: list[ModelProgress] | None = None
        while True:
            run = await self.view(await self.record(request.id))
            ended = has_ended(run) or run.state == RunState.RUN_STATE_BUDGET_EXHAUSTED
            if run.revision > revision or ended:
                revision, sent_seconds, shown = run.revision, time.monotonic(), list(run.models)
                yield WatchRunResponse(run=run)
            elif _is_heartbeat_due(time.monotonic() - sent_seconds, is_changed=shown != list(run.models)):
                sent_seconds, shown = time.monotonic(), list(run.models)
                yield WatchRunResponse(run=run, heartbeat=True)
            if ended:
                return
            await asyncio.sleep(WATCH_POLL_SECONDS)

    async def CancelRun(self, request: CancelRunRequest, context: grpc.aio.ServicerContext) -> CancelRunResponse:
        """Cancel the run; a run that has ended is returned unchanged."""
        await self.changeable_record(request.id)
        if await self._store.runs.mark_ended(request.id, RunState.RUN_STATE_CANCELLED):
            log.info("the run was cancelled", action=Action.RUN_ENDED, run=request.id)
            await self._bus.signal(streams.event_run(request.id), b"")
        return CancelRunResponse(run=await self.view(await self.record(request.id)))

    async def check(self, spec: RunSpec) -> Sequence[str]:
        """Return the warnings about a spec; raise a CallerError if no run could be created from it now."""
        return (await self.resolve(spec)).warnings

    async def resolve(self, spec: RunSpec) -> ResolvedSpec:
        """Return the complete spec with its sections, as the owner of a run sees it; raise a CallerError."""
        with team_scope.acting_for(await self._owners.owner_of(spec)):
            return await self._resolve(spec)

    async def _resolve(self, spec: RunSpec) -> ResolvedSpec:
        """Return the complete spec with its sections; raise Invalid naming the field at fault."""
        if spec.rejudges:
            source = await self._finished(spec.rejudges)
            registry = await self._catalogues.load_registry(source.run.spec.tasks)
            resolved = resolve_rejudge(spec, source, registry)
            if resolved.spec.round:
                await self._rounds.require_open(resolved.spec.round)
        else:
            registry = await self._catalogues.load_registry(spec.tasks)
            resolved = resolve(*await self._rounds.restrict(spec, registry))
        resolved = replace(resolved, sections=await self._rounds.seal(resolved.sections))
        judges = {section.task: section.judge for section in resolved.sections}
        checks = await self._catalogues.check_judges(list(judges.values()))
        check_judge_results(list(judges), checks, registry.models)
        await check_judge_fields(self._store.tasks, resolved.sections)
        await check_budget(resolved, self._store.models)
        return resolved

    async def _check_round(self, record: RunRecord) -> None:
        """Cancel a new run if its round was closed meanwhile, and raise FailedPrecondition."""
        if record.run.spec.round:
            try:
                await self._rounds.require_open(record.run.spec.round)
            except FailedPrecondition:
                await self._store.runs.mark_ended(record.run.id, RunState.RUN_STATE_CANCELLED)
                raise

    async def _finished(self, run_id: str) -> RunRecord:
        """Return a run whose answers can be judged again."""
        record = await self.record(run_id, field="spec.rejudges")
        if not has_ended(record.run):
            raise FailedPrecondition(f"the run {run_id} is still running; wait for its end", field="spec.rejudges")
        if record.run.state == RunState.RUN_STATE_CANCELLED:
            raise FailedPrecondition(
                f"the run {run_id} was cancelled, so some of its trials have no answer", field="spec.rejudges"
            )
        return record

    async def record(self, run_id: str, *, field: str = "id") -> RunRecord:
        """Return a run as it is stored; raise NotFound."""
        record = await self._store.runs.get(run_id)
        if record is None:
            raise NotFound.run(run_id, field=field)
        return record

    async def changeable_record(self, run_id: str) -> RunRecord:
        """Return a run that the caller may change; raise NotFound, and PermissionDenied if all teams share it."""
        record = await self.record(run_id)
        team_scope.require_change(record.run.team, f"the run {run_id}")
        return record

    async def view(self, record: RunRecord) -> Run:
        """Return a run with its counts, as callers see it."""
        cells = self._store.cells
        progress, responses = await asyncio.gather(
            RunProgress.load(cells, record), cells.count_responses(record.run.id)
        )
        fleet = await self._store.model_health.list(models_of(record)) if is_running(record) else {}
        has_budget = record.run.spec.HasField("budget")
        ledger = await self._store.budgets.get(record.run.id) if has_budget else None
        return build_run_view(progress, responses, fleet, ledger)


def _is_heartbeat_due(silent_seconds: float, *, is_changed: bool) -> bool:
    return silent_seconds >= (HEALTH_SECONDS if is_changed else HEARTBEAT_SECONDS)


def check_repeat(first: RunRecord, request_hash: str) -> None:
    """Raise Conflict if the run was created by a request with another content than the one with this hash."""
    if first.request_hash and first.request_hash != request_hash:
        raise Conflict(
            f"it was used for another request, which created the run {first.run.id}; send a new request_id",
            field="request_id",
        )
