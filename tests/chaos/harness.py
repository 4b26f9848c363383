"""Test harness: a system with two replicas of each service, a faulty provider, and runs that are checked at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.generated_task import import_requests
from ulid import ULID

from libra.core.errors import Unavailable
from libra.core.outcome_names import total_of
from libra.local.system import System
from libra.local.topology import PIPELINE
from libra.rpc.client import call, channel
from libra.testing.scripted_provider import ScriptedProvider
from libra.v1.model_pb2 import CreateModelRequest, Model, ModelLimits, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.ranking_pb2 import AuditRunRequest, ListVerdictsRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import CreateRunRequest, GetRunRequest, Run, RunSpec, RunState
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2_grpc import TaskServiceStub
from libra.v1.verdict_pb2 import Outcome, Verdict

from .faulty_provider import FaultRates, FaultScript
from .trial_prompts import ATTACKS, TrialKey, samples

CALL_SECONDS = 60.0
POLL_SECONDS = 0.2
MODEL_TIMEOUT_SECONDS = 5.0
"""Bounds the cost of a hung connection."""

SHORT_DELAYS = {
    "LIBRA_NATS_ACK_WAIT_SECONDS": "10",
    "LIBRA_DISPATCH_LEASE_SECONDS": "5",
    "LIBRA_DISPATCH_QUIET_SECONDS": "5",
}
"""A third or less of the default delays before lost work is repeated: for the short forms of these tests."""

NO_PAGES = {"arena": 0, "web": 0}
"""A run needs neither."""

TWO_REPLICAS = NO_PAGES | dict.fromkeys(PIPELINE, 2)


def read_seed() -> int:
    """Return the seed from the environment (`make chaos SEED=7`), or a random one."""
    return int(os.environ.get("SEED") or secrets.randbelow(1_000_000))  # noqa: TID251 - no setting of a service


@dataclass(frozen=True, slots=True)
class RunResult:
    """An ended run, the findings of its audit, and its FAILED verdicts."""

    run: Run
    seconds: float
    findings: list[str]
    failed: list[Verdict]

    @property
    def completed(self) -> int:
        return total_of(self.run.counts)


class ChaosHarness:
    """Creates runs, waits for them and checks their results."""

    def __init__(self, system: System, provider: ScriptedProvider, script: FaultScript, in_flight: int) -> None:
        self.system, self.provider, self.script, self.in_flight = system, provider, script, in_flight
        self._dispatch, self._ranking = (channel(system.grpc_target(name)) for name in ("dispatch", "ranking"))
        self._runs, self._boards = RunServiceStub(self._dispatch), RankingServiceStub(self._ranking)

    async def close(self) -> None:
        await self._dispatch.close()
        await self._ranking.close()

    async def create_run(self, trials: int, padding: int = 0) -> Run:
        """Create a run of this many different trials, on a new task and a new model of the faulty provider."""
        name, task = f"model-{ULID()}", f"tricks-{str(ULID()).lower()}"
        limits = ModelLimits(max_in_flight=self.in_flight, timeout_seconds=MODEL_TIMEOUT_SECONDS)
        model = Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=self.provider.url, limits=limits)
        await call(ModelServiceStub(self._dispatch).CreateModel, CreateModelRequest(model=model), CALL_SECONDS)
        requests = import_requests(task, samples(trials // len(ATTACKS), padding))
        await call(TaskServiceStub(self._dispatch).ImportTask, requests, CALL_SECONDS)
        spec = RunSpec(models=[name], tasks=[task], attacks=ATTACKS)
        run: Run = (await call(self._runs.CreateRun, CreateRunRequest(spec=spec), CALL_SECONDS)).run
        assert run.trials == trials
        return run

    async def wait_until(self, run: str, enough: Callable[[int], bool], seconds: float) -> Run:
        """Return the run once `enough` holds for its number of completed trials, or it has ended.

        Raises TimeoutError after `seconds`.
        """
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(Unavailable):  # the replica that was called has just been killed
                    found: Run = (await call(self._runs.GetRun, GetRunRequest(id=run), CALL_SECONDS)).run
                    if found.state != RunState.RUN_STATE_RUNNING or enough(total_of(found.counts)):
                        return found
                await asyncio.sleep(POLL_SECONDS)

    async def wait_for_share(self, run: Run, share: float, seconds: float) -> None:
        """Return once this share of the run is completed; fail if the run has ended by then."""
        found = await self.wait_until(run.id, lambda completed: completed >= share * run.trials, seconds)
        assert found.state == RunState.RUN_STATE_RUNNING

    async def wait_for_end(self, run: Run, seconds: float) -> Run:
        """Return the run once it has ended."""
        return await self.wait_until(run.id, lambda _: False, seconds)

    async def inspect(self, run: Run, began_seconds: float) -> RunResult:
        """Return the audit and the FAILED verdicts of an ended run; all parts must be up."""
        seconds = time.monotonic() - began_seconds
        audit = await _call_until_available(self._boards.AuditRun, AuditRunRequest(run=run.id))
        findings = [f"{finding.law}: {finding.message}" for finding in audit.findings]
        request = ListVerdictsRequest(run=run.id, outcome=Outcome.OUTCOME_FAILED, page_size=500)
        failed = await _call_until_available(self._boards.ListVerdicts, request)
        return RunResult(run, seconds, findings, list(failed.verdicts))

    def check(self, result: RunResult) -> None:
        """Fail unless each trial has exactly one verdict, and FAILED means that the provider failed at each attempt."""
        assert result.run.state == RunState.RUN_STATE_FINISHED
        assert result.findings == []
        assert result.completed == result.run.trials == len(self.script.attempts)
        assert result.run.counts.scored == result.run.trials - len(result.failed)
        wrong = [verdict for verdict in result.failed if not self.script.failed_at_last_attempts(_trial_key(verdict))]
        assert [(verdict.id, verdict.rationale) for verdict in wrong] == []

    def report_rows(self, result: RunResult) -> dict[str, object]:
        """Return the rows that all reports have in common."""
        responses = Counter(attempt.response for attempts in self.script.attempts.values() for attempt in attempts)
        return {
            "trials": result.run.trials,
            "seconds": f"{result.seconds:.0f} ({result.run.trials / result.seconds:.0f} trials a second)",
            "responses of the provider": ", ".join(
                f"{count:,} {response}" for response, count in responses.most_common()
            ),
            "verdicts": f"{result.completed:,}, {len(result.failed)} of them FAILED, as the provider failed every time",
            "repeated answers": len(self.script.repeated_answers()),
            "audit": "clean" if not result.findings else "; ".join(result.findings),
        }


@asynccontextmanager
async def chaos_harness(
    folder: Path,
    *,
    seed: int,
    rates: FaultRates,
    in_flight: int = 64,
    replicas: Mapping[str, int] = TWO_REPLICAS,
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[ChaosHarness]:
    """Start a new system and provider, and stop both at the end."""
    script = FaultScript(seed, rates)
    async with ScriptedProvider(script) as provider:
        system = await asyncio.to_thread(System.start, folder, replicas=replicas, variables=variables)
        try:
            harness = ChaosHarness(system, provider, script, in_flight)
            yield harness
            await harness.close()
        finally:
            await asyncio.to_thread(system.stop)


async def _call_until_available(method: Any, request: Any) -> Any:
    """Call a part that is up; the channel may still hold a connection to its killed predecessor."""
    async with asyncio.timeout(CALL_SECONDS):
        while True:
            with contextlib.suppress(Unavailable):
                return await call(method, request, CALL_SECONDS)
            await asyncio.sleep(POLL_SECONDS)


def _trial_key(verdict: Verdict) -> TrialKey:
    return verdict.sample, verdict.attack
