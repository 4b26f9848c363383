"""Conservation laws that hold at the end of every simulated history."""

from __future__ import annotations

import copy
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from libra.attack.settings import Settings as AttackSettings
from libra.attack.stage import stage as attack_stage
from libra.gateway.completion.key import completion_id
from libra.gateway.completion.lookup import MAX_AGE_SECONDS
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import FaultKind, ProviderFault, ProviderResult
from libra.gateway.stage import TrialHandler
from libra.judge.settings import Settings as JudgeSettings
from libra.judge.stage import stage as judge_stage
from libra.ranking.queries.auditor import Auditor
from libra.ranking.settings import Settings as RankingSettings
from libra.ranking.stage import stage as ranking_stage
from libra.stage.bus import Outgoing
from libra.stage.ended_runs import EndedRuns
from libra.stage.errors import Reject
from libra.store.documents import trial_ids
from libra.testing.memory import MemoryServer, MemoryStore, StoreFaults
from libra.testing.virtual_time import simulate
from libra.v1.batch_pb2 import CompletionBatch, TrialBatch, VerdictBatch
from libra.v1.model_pb2 import Model
from libra.v1.run_pb2 import RunState
from libra.v1.verdict_pb2 import Outcome

from .pipeline_simulation import REJUDGE_RUN, RUNS, PipelineSimulation
from .service_wiring import METRICS, SimulatedContext, attack_model_stage, gateway_components, no_judge_model
from .simulated_provider import ProviderRequest

SWEEP_LIMIT_REASON = "no verdict after"
READ_SECONDS = 0.1
"""Maximum time of a store read that is not delayed by a fault."""

REPLAYED_MESSAGES = 25
"""Number of messages of a history that are replayed, each through all later stages."""

DEAD_LETTER_EVENT = "a batch was dead-lettered"
SWEEP_EVENT = "sent trials had no verdict"
BUG_EVENTS = frozenset(
    {
        "a batch failed on a bug",
        "a batch could not be dead-lettered",
        "a run's scheduler failed",
        "a worker failed on a bug",
    }
)

EVENTS = BUG_EVENTS | {DEAD_LETTER_EVENT, SWEEP_EVENT}
"""All log events that the laws look for."""


def find_violations(simulation: PipelineSimulation) -> list[str]:
    """Return all violations of the laws after a history; an empty list if every law holds."""
    found = [
        law(simulation)
        for law in (find_bugs, find_dead_letters, find_sweeps, find_wrong_verdicts, find_repeated_requests)
    ]
    limits = simulation.provider.violations
    return [*simulation.violations, *limits, *chain.from_iterable(found), *simulate(find_audit_violations(simulation))]


def find_bugs(simulation: PipelineSimulation) -> Iterator[str]:
    """Yield the logged bugs of stages, run schedulers and workers."""
    for entry in simulation.logs:
        if entry["event"] in BUG_EVENTS:
            yield f"{entry['event']}: {entry}"


def find_dead_letters(simulation: PipelineSimulation) -> Iterator[str]:
    """Yield valid batches that were dead-lettered.

    Allowed are an unknown judge and, if the queue duplicates messages, too many deliveries.
    """
    reasons = ["there is no judge 'unknown'", *(["it was delivered"] if simulation.plan.bus_faults.duplicates else [])]
    for entry in simulation.logs:
        if entry["event"] == DEAD_LETTER_EVENT and not any(reason in entry["reason"] for reason in reasons):
            yield f"a valid batch was dead-lettered: {entry}"


def find_sweeps(simulation: PipelineSimulation) -> Iterator[str]:
    """Yield sweeps that found lost trials, although the queue lost no data and no stage may have dead-lettered them."""
    plan = simulation.plan
    if simulation.resumes or plan.data_losses or plan.unknown_judge or plan.bus_faults.duplicates:
        return
    for entry in simulation.logs:
        if entry["event"] == SWEEP_EVENT:
            yield f"trials were lost, although the queue lost no data: {entry}"


def find_wrong_verdicts(simulation: PipelineSimulation) -> Iterator[str]:
    """Yield missing and unexpected verdicts, and verdicts that differ from that of the stored completion."""
    for run, document in simulation.server.runs.items():
        stored = [name for name in simulation.server.verdicts if name.startswith(run)]
        expected = set(_expected_verdict_ids(simulation, run))
        if unexpected := set(stored) - expected:
            yield f"{len(unexpected)} verdicts belong to no trial of the run: {sorted(unexpected)[:3]}"
        if document["run"]["state"] == RunState.RUN_STATE_FINISHED and (missing := expected - set(stored)):
            yield f"{len(missing)} trials of a finished run have no verdict: {sorted(missing)[:3]}"
        for name in stored:
            yield from _find_wrong_verdict(simulation, name, simulation.server.verdicts[name])


def _find_wrong_verdict(simulation: PipelineSimulation, name: str, verdict: dict[str, Any]) -> Iterator[str]:
    if name.startswith(REJUDGE_RUN):
        yield from _find_changed_completion(simulation, name, verdict)
    outcome = verdict["outcome"]
    unknown_judge = simulation.plan.unknown_judge and "/words@" in name
    if outcome == Outcome.OUTCOME_FAILED:
        if verdict["rationale"].startswith(SWEEP_LIMIT_REASON) and not unknown_judge:
            yield f"{name} is FAILED after repeated sweeps, although the trial is valid"
        return
    if unknown_judge:  # a rejudging cannot score either: the first run's verdicts name no completion
        yield f"{name} has a verdict of an unknown judge"
        return
    completion = simulation.server.completions.get(verdict.get("completion_id", ""))
    if completion is None:
        yield f"the completion of the verdict {name} is not stored"
        return
    expected_text = "no" if name.startswith(REJUDGE_RUN) else "yes"
    score = float(completion.get("text") == expected_text)
    if (verdict.get("score", 0.0), verdict["label"]) != (score, "correct" if score else "wrong"):
        yield f"{name} scores {verdict.get('score', 0.0)}, but the stored completion is {completion.get('text')!r}"


def _find_changed_completion(simulation: PipelineSimulation, name: str, verdict: dict[str, Any]) -> Iterator[str]:
    source = simulation.server.verdicts[name.replace(REJUDGE_RUN, RUNS[0])]
    for part in ("completion_id", *(["rationale"] if verdict["outcome"] == Outcome.OUTCOME_FAILED else [])):
        if verdict.get(part) != source.get(part):
            yield f"{name} has the {part} {verdict.get(part)!r}, but in the rejudged run it is {source.get(part)!r}"


def _expected_verdict_ids(simulation: PipelineSimulation, run: str) -> Iterator[str]:
    document = simulation.server.runs[run]
    for model in document["run"]["spec"]["models"]:
        for section in document["sections"]:
            for position in range(section["trials"]):
                yield trial_ids.verdict_id(
                    run, 0, model, section["task"], section["attack"], position // 2, position % 2
                )


# No request is repeated


def find_repeated_requests(simulation: PipelineSimulation) -> Iterator[str]:
    """Yield requests that were repeated although the answer was stored or the first process was alive.

    If two replicas may handle the same request, one may not know the answer of the other yet: for at most the time that
    a read of the store is cached plus the time that it takes.
    """
    for name, requests in requests_by_completion(simulation).items():
        for position, request in enumerate(requests):
            if simulation.plan.repeats_need_a_kill:
                reason = _needless_reason(simulation, name, requests[:position], request)
            else:
                reason = _late_reason(simulation, name, request)
            if reason:
                at = f"{request.started_seconds:.3f} s"
                yield f"{name[:12]} was requested again at {at} by {request.process.name}: {reason}"


def requests_by_completion(simulation: PipelineSimulation) -> dict[str, list[ProviderRequest]]:
    found: dict[str, list[ProviderRequest]] = defaultdict(list)
    for request in simulation.provider.requests:
        found[request.completion].append(request)
    return found


def count_repeats(simulation: PipelineSimulation) -> Counter[str]:
    """Count the requests that were repeated although an earlier one was answered or in flight, by cause."""
    counts: Counter[str] = Counter()
    for name, requests in requests_by_completion(simulation).items():
        for position, request in enumerate(requests):
            if any(earlier.answered or earlier.interrupted for earlier in requests[:position]):
                needless = _needless_reason(simulation, name, requests[:position], request)
                counts["needless" if needless else "in flight when its process ended"] += 1
    return counts


def _late_reason(simulation: PipelineSimulation, name: str, request: ProviderRequest) -> str:
    """Return why the process should have known the answer; empty if it could not, or may have been suspended."""
    store_faults = simulation.plan.store_faults
    read_seconds = store_faults.max_slow_seconds if store_faults.slow_requests else READ_SECONDS
    stored_seconds = request.started_seconds - simulation.stored_at.get(name, float("inf"))
    if simulation.plan.suspensions or stored_seconds <= MAX_AGE_SECONDS + read_seconds:
        return ""
    return f"its answer has been stored for {stored_seconds:.3f} s"


def _needless_reason(
    simulation: PipelineSimulation, name: str, earlier: Sequence[ProviderRequest], request: ProviderRequest
) -> str:
    """Return why a request was not necessary; empty if it was."""
    if simulation.stored_at.get(name, float("inf")) < request.started_seconds:
        return f"its answer was stored at {simulation.stored_at[name]:.3f} s"
    for other in earlier:
        has_ended = other.process.dead or other.process.name in simulation.stopped
        if (other.answered or other.interrupted) and not has_ended:
            return f"{other.process.name} had sent it at {other.started_seconds:.3f} s and is alive"
    return ""


# The audit, and law 5: replaying any batch changes nothing


async def find_audit_violations(simulation: PipelineSimulation) -> list[str]:
    """Return the audit's findings before and after a replay of recorded batches, and the changes by the replay."""
    server = simulation.server
    server.faults, server.down = StoreFaults(max_normal_seconds=0.0), False
    store = MemoryStore(server)
    found = await _run_audit(simulation, store)
    before = _snapshot(server)
    recorder = RecordingProvider()
    replay = Replay(simulation, store, recorder)
    await replay.run()
    if _snapshot(server) != before:
        found.append("replaying recorded batches changed the store")
    if repeated := recorder.requested & server.completions.keys():
        found.append(f"replaying recorded batches repeated {len(repeated)} requests whose answers are stored")
    return [*found, *await _run_audit(simulation, store)]


async def _run_audit(simulation: PipelineSimulation, store: MemoryStore) -> list[str]:
    found = []
    for run in simulation.server.runs:
        report = await Auditor(store).audit(run)  # type: ignore[arg-type]  # a store in memory
        found += [f"{finding.law}: {finding.message} {list(finding.concerned)[:3]}" for finding in report.findings]
    return found


def _snapshot(server: MemoryServer) -> Any:
    # Only cells and runs are updated in place.
    return dict(server.verdicts), dict(server.completions), copy.deepcopy((server.cells, server.runs))


def _is_of_finished_run(simulation: PipelineSimulation, message: Outgoing) -> bool:
    """Tell whether a message is a batch of a finished run; all kinds of batches have the same header field."""
    run = TrialBatch.FromString(message.data).header.run
    return bool(simulation.server.runs[run]["run"]["state"] == RunState.RUN_STATE_FINISHED)


class RecordingProvider:
    """A provider that refuses every request and records it."""

    def __init__(self) -> None:
        self.requested: set[str] = set()

    async def ask(self, request: CompletionRequest) -> ProviderResult:
        self.requested.add(completion_id(request))
        return ProviderFault("the history has ended", FaultKind.FINAL)


class Replay:
    """Sends recorded messages through the stages again, as if their run were still running."""

    def __init__(self, simulation: PipelineSimulation, store: MemoryStore, provider: RecordingProvider) -> None:
        self.random = random.Random(f"replay {simulation.plan.seed}")
        published = simulation.nats_server.published.values()
        self.recorded = [message for message in published if _is_of_finished_run(simulation, message)]
        for budget in simulation.server.budgets.values():  # a budget would refuse what the recording provider records
            budget["limit"]["requests"], budget["exhausted"] = 0, False
        context = SimulatedContext(store, None, provider, simulation.clock, None)  # type: ignore[arg-type]  # no bus needed
        components = gateway_components(context)

        async def running(run: str) -> RunState.ValueType:
            return RunState.RUN_STATE_RUNNING

        ended_runs = EndedRuns(running, 1000)
        trials = TrialHandler(
            components.models, components.completer, ended_runs, ModelChannel(Model(name="m"), METRICS)
        )
        ranking = ranking_stage(store, lambda _: None, RankingSettings())  # type: ignore[arg-type]  # a store in memory
        self.stages: dict[str, tuple[Any, Any]] = {
            "attack": (TrialBatch, attack_stage(AttackSettings()).handle),
            "writing": (TrialBatch, attack_model_stage(AttackSettings(), components, ended_runs).handle),
            "gateway": (TrialBatch, trials.handle),
            "judge": (CompletionBatch, judge_stage(JudgeSettings(), no_judge_model, METRICS, ended_runs).handle),
            "ranking": (VerdictBatch, ranking.handle),
        }

    async def run(self) -> None:
        for message in self.random.choices(self.recorded, k=min(REPLAYED_MESSAGES, len(self.recorded))):
            await self.feed(message)

    async def feed(self, message: Outgoing) -> None:
        kind, stage = message.subject.split(".")[:2]
        if kind != "work":
            return
        batch_type, handle = self.stages[stage]
        try:
            outputs = await handle(batch_type.FromString(message.data))
        except Reject:
            return
        for output in outputs:
            await self.feed(output)
