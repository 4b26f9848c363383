"""RunControlService: pause, resume and retry runs, change their budgets, and estimate their cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.core.errors import FailedPrecondition, Invalid, Unavailable
from libra.core.outcome_names import OUTCOMES, outcome_name
from libra.dispatch.control.estimate import Estimator, to_response
from libra.dispatch.rounds.round_runs import RoundRuns
from libra.dispatch.run_service import RunService
from libra.dispatch.run_view import has_ended
from libra.dispatch.spec.budget_fields import check_limits, check_prices, paid_models, raised_limit
from libra.dispatch.spec.run_spec import ResolvedSpec
from libra.store.client import Store
from libra.store.runs import BUDGET_EXHAUSTED, CANCELLED, FINISHED, PAUSED, RUNNING, RunRecord
from libra.store.sums.cell_sums import MEAN_OUTCOMES
from libra.telemetry.log_actions import Action
from libra.v1 import run_control_pb2_grpc
from libra.v1.run_control_pb2 import (
    EstimateRunRequest,
    EstimateRunResponse,
    PauseRunRequest,
    PauseRunResponse,
    ResumeRunRequest,
    ResumeRunResponse,
    RetryRunRequest,
    RetryRunResponse,
    UpdateRunBudgetRequest,
    UpdateRunBudgetResponse,
)
from libra.v1.run_pb2 import Budget, Run, RunState
from libra.v1.verdict_pb2 import Outcome

if TYPE_CHECKING:
    import grpc.aio

log = structlog.get_logger(__name__)

MAX_BUDGET_WRITES = 20
"""Writes in a row that lose against the gateways before the caller has to come again."""

RETRIED = frozenset(OUTCOMES.values()) - MEAN_OUTCOMES


class RunControlService(run_control_pb2_grpc.RunControlServiceServicer):
    """Changes the state of runs in the store; the supervisor of any replica acts on it."""

    def __init__(self, store: Store, bus: NatsBus, runs: RunService, wake: Callable[[], None]) -> None:
        self._store, self._bus, self._runs, self._wake = store, bus, runs, wake
        self._rounds = RoundRuns(store)

    async def PauseRun(self, request: PauseRunRequest, context: grpc.aio.ServicerContext) -> PauseRunResponse:
        """Stop sending trials."""
        await self._runs.changeable_record(request.id)
        if not await self._change(request.id, {RUNNING}, PAUSED):
            record = await self._runs.record(request.id)
            if record.run.state != PAUSED:
                raise FailedPrecondition(f"the run {request.id} is {_word(record)}; only a running run can be paused")
        return PauseRunResponse(run=await self._view(request.id))

    async def ResumeRun(self, request: ResumeRunRequest, context: grpc.aio.ServicerContext) -> ResumeRunResponse:
        """Send trials again, with another budget if one is given."""
        record = await self._unended(request.id)
        if request.HasField("budget"):
            await self._set_budget(record, request.budget)
        ledger = await self._store.budgets.get(request.id) if record.run.spec.HasField("budget") else None
        if ledger is not None and ledger.exhausted:
            raise FailedPrecondition(
                f"the run {request.id} has used up its budget; resume it with a higher limit, "
                "for instance --budget-usd, --budget-tokens or --budget-requests"
            )
        await self._change(request.id, {PAUSED, BUDGET_EXHAUSTED}, RUNNING)
        self._wake()
        return ResumeRunResponse(run=await self._view(request.id))

    async def UpdateRunBudget(
        self, request: UpdateRunBudgetRequest, context: grpc.aio.ServicerContext
    ) -> UpdateRunBudgetResponse:
        """Change the budget and nothing else."""
        await self._set_budget(await self._unended(request.id), request.budget)
        return UpdateRunBudgetResponse(run=await self._view(request.id))

    async def RetryRun(self, request: RetryRunRequest, context: grpc.aio.ServicerContext) -> RetryRunResponse:
        """Withdraw verdicts without a score, and send their trials again.

        The run is paused meanwhile: if this process dies, `ResumeRun` goes on.
        """
        outcomes = _checked_outcomes(list(request.outcomes) or [Outcome.OUTCOME_FAILED])
        record = await self._runs.changeable_record(request.id)
        if record.run.state == CANCELLED:
            raise FailedPrecondition(f"the run {request.id} was cancelled; create a new run")
        if record.run.spec.round:
            await self._rounds.require_open(record.run.spec.round)
        count = await self._count(record, outcomes)
        if not count:
            return RetryRunResponse(run=await self._view(request.id))
        # The revision falls by one for each withdrawn verdict and for the end, so it rises by more.
        await self._change(request.id, {record.run.state}, PAUSED, changes=count + 2)
        withdrawn = await self._withdraw(record, outcomes)
        if record.run.state in (RUNNING, FINISHED):
            await self._change(request.id, {PAUSED}, RUNNING)
            self._wake()
        elif record.run.state == BUDGET_EXHAUSTED:
            await self._change(request.id, {PAUSED}, BUDGET_EXHAUSTED)
        log.info("trials are retried", action=Action.RUN_CHANGED, run=request.id, trials=withdrawn)
        return RetryRunResponse(run=await self._view(request.id), withdrawn=withdrawn)

    async def EstimateRun(self, request: EstimateRunRequest, context: grpc.aio.ServicerContext) -> EstimateRunResponse:
        """Return what a run with this spec would cost."""
        resolved: ResolvedSpec = await self._runs.resolve(request.spec)
        return to_response(await Estimator(self._store).estimate(resolved), resolved)

    async def _unended(self, run_id: str) -> RunRecord:
        record: RunRecord = await self._runs.changeable_record(run_id)
        if has_ended(record.run):
            raise FailedPrecondition(f"the run {run_id} is {_word(record)}: it sends no more trials")
        return record

    async def _view(self, run_id: str) -> Run:
        return await self._runs.view(await self._runs.record(run_id))

    async def _change(self, run_id: str, states: set[int], state: int, changes: int = 1) -> bool:
        """Move the run to another state, and tell who watches it; return False if it is in none of the states."""
        if not await self._store.runs.change_state(run_id, states, state, changes):
            return False
        word = RunState.Name(RunState.ValueType(state)).removeprefix("RUN_STATE_").lower()
        log.info("the state of a run was changed", action=Action.RUN_CHANGED, run=run_id, state=word)
        await self._bus.signal(streams.event_run(run_id), b"")
        return True

    async def _set_budget(self, record: RunRecord, budget: Budget) -> None:
        run_id = record.run.id
        check_limits(budget, "budget")
        if not record.run.spec.HasField("budget"):
            raise FailedPrecondition(
                f"the run {run_id} was created without a budget, so what it has spent was not counted", field="budget"
            )
        if budget.HasField("usd"):
            resolved = ResolvedSpec(record.run.spec, tuple(record.sections), ())
            await check_prices(paid_models(resolved), self._store.models)
        for _ in range(MAX_BUDGET_WRITES):
            ledger = await self._store.budgets.get(run_id)
            if ledger is None:
                raise Unavailable(f"the budget of the run {run_id} is not stored yet; try again")
            changed = ledger.with_limit(raised_limit(ledger, budget))
            if not (ledger.settled + ledger.reserved).is_within(changed.limit):
                raise FailedPrecondition(
                    f"the run {run_id} has spent or reserved more than that; set a higher limit", field="budget"
                )
            if await self._store.budgets.replace(run_id, changed, ledger.version):
                await self._change(run_id, {record.run.state}, record.run.state)
                return
        raise Unavailable(f"the gateways write the budget of the run {run_id} all the time; try again")

    async def _count(self, record: RunRecord, outcomes: set[int]) -> int:
        counts = await self._store.cells.count_outcomes(record.run.id)
        names = [outcome_name(outcome) for outcome in outcomes]
        return sum(getattr(each, name) for each in counts.values() for name in names)

    async def _withdraw(self, record: RunRecord, outcomes: set[int]) -> int:
        withdrawn = 0
        for model in record.run.spec.models:
            for section in record.sections:
                withdrawn += await self._store.verdicts.withdraw(
                    record.run.id,
                    model,
                    section.task,
                    section.attack,
                    category=section.category,
                    outcomes=outcomes,
                )
        return withdrawn


def _checked_outcomes(outcomes: Sequence[Outcome.ValueType]) -> set[int]:
    for outcome in outcomes:
        if outcome not in RETRIED:
            raise Invalid("only failed and unjudged trials can be retried; other verdicts stay", field="outcomes")
    return set(outcomes)


def _word(record: RunRecord) -> str:
    return RunState.Name(record.run.state).removeprefix("RUN_STATE_").lower().replace("_", " ")
