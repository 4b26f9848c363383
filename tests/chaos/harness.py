"""A whole system with two replicas of each service, a provider that may be unruly, and a run between them."""

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

from ulid import ULID

from libra.errors import Unavailable
from libra.local.system import System
from libra.local.topology import SERVICES
from libra.rpc.client import call, channel
from libra.testing.scripted_provider import ScriptedProvider
from libra.v1.model_pb2 import CreateModelRequest, Model, ModelLimits, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.ranking_pb2 import AuditRunRequest, ListVerdictsRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import CreateRunRequest, GetRunRequest, Run, RunSpec, RunState
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2 import ImportTaskHeader, ImportTaskRequest
from libra.v1.task_pb2_grpc import TaskServiceStub
from libra.v1.verdict_pb2 import Outcome, Verdict

from .faulty_provider import Mood, Unruly
from .trial_prompts import ATTACKS, Place, card, records

CALL_SECONDS = 60.0
LOOK_SECONDS = 0.2
PIECE_BYTES = 2**20
TIMEOUT_SECONDS = 5.0
"""A model's; it bounds what a hung connection costs."""

HASTY = {
    "LIBRA_NATS_ACK_WAIT_SECONDS": "10",
    "LIBRA_DISPATCH_LEASE_SECONDS": "5",
    "LIBRA_DISPATCH_QUIET_SECONDS": "5",
}
"""What a system waits for before it makes up for a loss, a third of what it does for users: for the short forms of these tests."""

TWO_OF_EACH = dict.fromkeys(SERVICES, 2)


def seed() -> int:
    """Return the seed that the environment names (`make chaos SEED=7`), or a new one."""
    return int(os.environ.get("SEED") or secrets.randbelow(1_000_000))  # noqa: TID251 - no setting of a service


@dataclass(frozen=True, slots=True)
class Ended:
    """A run at its end, and all that was found out about it."""

    run: Run
    seconds: float
    findings: list[str]
    failed: list[Verdict]

    @property
    def settled(self) -> int:
        counts = self.run.counts
        return counts.scored + counts.filtered + counts.unjudged + counts.failed


class World:
    """Makes runs, looks at them, and asks what became of them."""

    def __init__(self, system: System, provider: ScriptedProvider, script: Unruly, in_flight: int) -> None:
        self.system, self.provider, self.script, self.in_flight = system, provider, script, in_flight
        self._dispatch, self._ranking = (channel(system.target(name)) for name in ("dispatch", "ranking"))
        self._runs, self._boards = RunServiceStub(self._dispatch), RankingServiceStub(self._ranking)

    async def close(self) -> None:
        await self._dispatch.close()
        await self._ranking.close()

    async def begin(self, trials: int, padding: int = 0) -> Run:
        """Create a run of so many different trials, for a new model that the provider answers for."""
        name, task = f"model-{ULID()}", f"tricks-{str(ULID()).lower()}"
        limits = ModelLimits(max_in_flight=self.in_flight, timeout_seconds=TIMEOUT_SECONDS)
        model = Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=self.provider.url, limits=limits)
        await call(ModelServiceStub(self._dispatch).CreateModel, CreateModelRequest(model=model), CALL_SECONDS)
        data = records(trials // len(ATTACKS), padding)

        async def requests() -> AsyncIterator[ImportTaskRequest]:
            yield ImportTaskRequest(header=ImportTaskHeader(card_yaml=card(task), file_name=f"{task}.jsonl"))
            for start in range(0, len(data), PIECE_BYTES):
                yield ImportTaskRequest(data=data[start : start + PIECE_BYTES])

        await call(TaskServiceStub(self._dispatch).ImportTask, requests(), CALL_SECONDS)
        spec = RunSpec(models=[name], tasks=[task], attacks=ATTACKS)
        run: Run = (await call(self._runs.CreateRun, CreateRunRequest(spec=spec), CALL_SECONDS)).run
        assert run.trials == trials
        return run

    async def once(self, run: str, enough: Callable[[int], bool], seconds: float) -> Run:
        """Return the run once enough of its trials are settled, or it has ended; TimeoutError after so long."""
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(Unavailable):  # whoever was asked has just been killed
                    now: Run = (await call(self._runs.GetRun, GetRunRequest(id=run), CALL_SECONDS)).run
                    counts = now.counts
                    settled = counts.scored + counts.filtered + counts.unjudged + counts.failed
                    if now.state != RunState.RUN_STATE_RUNNING or enough(settled):
                        return now
                await asyncio.sleep(LOOK_SECONDS)

    async def middle(self, run: Run, share: float, seconds: float) -> None:
        """Return once this share of the run is settled; it must not have ended by then."""
        now = await self.once(run.id, lambda settled: settled >= share * run.trials, seconds)
        assert now.state == RunState.RUN_STATE_RUNNING

    async def ended(self, run: Run, seconds: float) -> Run:
        """Return the run once it has ended."""
        return await self.once(run.id, lambda _: False, seconds)

    async def examined(self, run: Run, began_seconds: float) -> Ended:
        """Return what there is to know of an ended run; every part must be up."""
        seconds = time.monotonic() - began_seconds
        audit = await _told(self._boards.AuditRun, AuditRunRequest(run=run.id))
        findings = [f"{finding.law}: {finding.message}" for finding in audit.findings]
        request = ListVerdictsRequest(run=run.id, outcome=Outcome.OUTCOME_FAILED, page_size=500)
        failed = await _told(self._boards.ListVerdicts, request)
        return Ended(run, seconds, findings, list(failed.verdicts))

    def check(self, ended: Ended) -> None:
        """Fail unless every trial has its one verdict, and none failed for which the provider had an answer."""
        assert ended.run.state == RunState.RUN_STATE_FINISHED
        assert ended.findings == []
        assert ended.settled == ended.run.trials == len(self.script.tries)
        assert ended.run.counts.scored == ended.run.trials - len(ended.failed)
        wrongly = [verdict for verdict in ended.failed if not self.script.failed_to_the_end(_place(verdict))]
        assert [(verdict.id, verdict.rationale) for verdict in wrongly] == []

    def told(self, ended: Ended) -> dict[str, object]:
        """Return the rows that every report has."""
        fates = Counter(each.fate for tries in self.script.tries.values() for each in tries)
        return {
            "trials": ended.run.trials,
            "seconds": f"{ended.seconds:.0f} ({ended.run.trials / ended.seconds:.0f} trials a second)",
            "asked at the provider": ", ".join(f"{count:,} {fate}" for fate, count in fates.most_common()),
            "verdicts": f"{ended.settled:,}; {len(ended.failed)} of them FAILED as the provider did at every try",
            "answers asked for twice": len(self.script.repeats()),
            "audit": "clean" if not ended.findings else "; ".join(ended.findings),
        }


@asynccontextmanager
async def world(
    folder: Path,
    *,
    seed: int,
    mood: Mood,
    in_flight: int = 64,
    replicas: Mapping[str, int] = TWO_OF_EACH,
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[World]:
    """Yield a world of its own, and take it down again."""
    script = Unruly(seed, mood)
    async with ScriptedProvider(script) as provider:
        system = await asyncio.to_thread(System.start, folder, replicas=replicas, variables=variables)
        try:
            opened = World(system, provider, script, in_flight)
            yield opened
            await opened.close()
        finally:
            await asyncio.to_thread(system.stop)


async def _told(method: Any, request: Any) -> Any:
    """Return the answer of a part that is up; a connection that was cut when it was killed may not have noticed that."""
    async with asyncio.timeout(CALL_SECONDS):
        while True:
            with contextlib.suppress(Unavailable):
                return await call(method, request, CALL_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)


def _place(verdict: Verdict) -> Place:
    return verdict.sample, verdict.attack
