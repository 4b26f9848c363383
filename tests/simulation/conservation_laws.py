"""The laws that hold at the end of every history."""

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
from libra.gateway.limits.prefetch import TrialBudget
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
from libra.store import trial_ids
from libra.testing.memory import MemoryServer, MemoryStore, StoreFaults
from libra.testing.virtual_time import simulate
from libra.v1.batch_pb2 import CompletionBatch, TrialBatch, VerdictBatch
from libra.v1.run_pb2 import RunState
from libra.v1.verdict_pb2 import Outcome

from .pipeline_simulation import REJUDGING, RUNS, World
from .service_wiring import METRICS, Means, gateway_desk, nobody, writing_stage
from .simulated_provider import Asking

NEVER_ANSWERED = "no verdict after"
LOOK_SECONDS = 0.1
"""A look into the store that is not slow takes no longer."""

REPLAYED = 25
"""Messages of a history that are replayed, each through all the stages behind it."""

BUGS = frozenset(
    {
        "a batch failed on a bug",
        "a batch could not be dead-lettered",
        "a run's conductor failed",
        "a worker failed on a bug",
    }
)


def broken(world: World) -> list[str]:
    """Return what is wrong after a history; nothing if every law holds."""
    seen = [law(world) for law in (bugs, dead_letters, sweeps, verdicts, askings)]
    return [*world.faults, *chain.from_iterable(seen), *simulate(audited(world))]


def bugs(world: World) -> Iterator[str]:
    """No stage, conductor or worker met what nobody expected."""
    for entry in world.logs:
        if entry["event"] in BUGS:
            yield f"{entry['event']}: {entry}"


def dead_letters(world: World) -> Iterator[str]:
    """Nothing is set aside for what befell its carriers, unless it is given out beyond all measure."""
    reasons = ["there is no judge 'nobody'", *(["it was delivered"] if world.plan.malice.duplicates else [])]
    for entry in world.logs:
        if entry["event"] == "a batch was dead-lettered" and not any(reason in entry["reason"] for reason in reasons):
            yield f"a sound batch was set aside: {entry}"


def sweeps(world: World) -> Iterator[str]:
    """Nothing has to be sent again, unless the queue itself has forgotten it or a stage may have set it aside."""
    if world.plan.data_losses or world.plan.poisoned or world.plan.malice.duplicates:
        return
    for entry in world.logs:
        if entry["event"] == "sent trials had no verdict":
            yield f"trials were lost, though the queue has kept all it was given: {entry}"


def verdicts(world: World) -> Iterator[str]:
    """Every trial of a finished run has its verdict, and it is that on the answer that is kept."""
    for run, document in world.server.runs.items():
        there = [name for name in world.server.verdicts if name.startswith(run)]
        expected = set(_trials(world, run))
        if beyond := set(there) - expected:
            yield f"{len(beyond)} verdicts are on trials that nobody asked for: {sorted(beyond)[:3]}"
        if document["run"]["state"] == RunState.RUN_STATE_FINISHED and (missing := expected - set(there)):
            yield f"{len(missing)} trials of a finished run have no verdict: {sorted(missing)[:3]}"
        for name in there:
            yield from _verdict(world, name, world.server.verdicts[name])


def _verdict(world: World, name: str, verdict: dict[str, Any]) -> Iterator[str]:
    if name.startswith(REJUDGING):
        yield from _same_answer(world, name, verdict)
    outcome = verdict["outcome"]
    poisoned = world.plan.poisoned and "/words@" in name
    if outcome == Outcome.OUTCOME_FAILED:
        if verdict["rationale"].startswith(NEVER_ANSWERED) and not poisoned:
            yield f"{name} was given up, though nothing was wrong with it"
        return
    if poisoned:  # nor can a rejudging find answers that the first run's verdicts do not name
        yield f"{name} has a verdict of a judge that there is not"
        return
    kept = world.server.completions.get(verdict.get("completion_id", ""))
    if kept is None:
        yield f"{name} is a verdict on an answer that is not kept"
        return
    right = "no" if name.startswith(REJUDGING) else "yes"
    score = float(kept.get("text") == right)
    if (verdict.get("score", 0.0), verdict["label"]) != (score, "correct" if score else "wrong"):
        yield f"{name} scores {verdict.get('score', 0.0)}, but the answer that is kept is {kept.get('text')!r}"


def _same_answer(world: World, name: str, verdict: dict[str, Any]) -> Iterator[str]:
    source = world.server.verdicts[name.replace(REJUDGING, RUNS[0])]
    for part in ("completion_id", *(["rationale"] if verdict["outcome"] == Outcome.OUTCOME_FAILED else [])):
        if verdict.get(part) != source.get(part):
            yield f"{name} has the {part} {verdict.get(part)!r}, but the run that was judged again {source.get(part)!r}"


def _trials(world: World, run: str) -> Iterator[str]:
    document = world.server.runs[run]
    for model in document["run"]["spec"]["models"]:
        for section in document["sections"]:
            for place in range(section["trials"]):
                yield trial_ids.verdict_id(run, 0, model, section["task"], section["attack"], place // 2, place % 2)


# Nothing is paid for twice


def askings(world: World) -> Iterator[str]:
    """No question is asked again once its answer is kept; nor before, unless whoever had asked was gone.

    Where two replicas may have the same question in hand, one may not know yet what the other has answered: not for longer than
    a look into the store is trusted, and takes.
    """
    for name, asked in by_name(world).items():
        for place, asking in enumerate(asked):
            why = _needless(world, name, asked[:place], asking) if world.plan.strict else _late(world, name, asking)
            if why:
                yield f"{name[:12]} was asked again at {asking.started:.3f} s by {asking.process.name}: {why}"


def by_name(world: World) -> dict[str, list[Asking]]:
    found: dict[str, list[Asking]] = defaultdict(list)
    for asking in world.oracle.askings:
        found[asking.name].append(asking)
    return found


def paid_twice(world: World) -> Counter[str]:
    """Count the requests that were made again though the first was answered or still under way, by why that was."""
    counts: Counter[str] = Counter()
    for name, asked in by_name(world).items():
        for place, asking in enumerate(asked):
            if any(earlier.answered or earlier.cut for earlier in asked[:place]):
                counts["needless" if _needless(world, name, asked[:place], asking) else "in flight at an end"] += 1
    return counts


def _late(world: World, name: str, asking: Asking) -> str:
    """Return why whoever asked should have known the answer; empty if it could not, or was frozen after it had looked."""
    trouble = world.plan.trouble
    look_seconds = trouble.slowest_seconds if trouble.slow_requests else LOOK_SECONDS
    kept_seconds = asking.started - world.kept_at.get(name, float("inf"))
    if world.plan.freezes or kept_seconds <= MAX_AGE_SECONDS + look_seconds:
        return ""
    return f"its answer is kept for {kept_seconds:.3f} s"


def _needless(world: World, name: str, earlier: Sequence[Asking], asking: Asking) -> str:
    """Return why a request need not have been made; empty if it had to be."""
    if world.kept_at.get(name, float("inf")) < asking.started:
        return f"its answer is kept since {world.kept_at[name]:.3f} s"
    for other in earlier:
        ended = other.process.dead or other.process.name in world.stopped
        if (other.answered or other.cut) and not ended:
            return f"{other.process.name} had asked at {other.started:.3f} s and lives"
    return ""


# The audit, and law 5: replaying any batch changes nothing


async def audited(world: World) -> list[str]:
    """Return what the audit finds, before and after recorded batches are replayed, and what the replay changed."""
    server = world.server
    server.trouble, server.down = StoreFaults(usual_seconds=0.0), False
    store = MemoryStore(server)
    found = await _audit(world, store)
    before = _picture(server)
    nosy = Nosy()
    replayed = Replay(world, store, nosy)
    await replayed.play()
    if _picture(server) != before:
        found.append("replaying recorded batches changed the ledger")
    if again := nosy.asked & server.completions.keys():
        found.append(f"replaying recorded batches asked {len(again)} questions again whose answers are kept")
    return [*found, *await _audit(world, store)]


async def _audit(world: World, store: MemoryStore) -> list[str]:
    found = []
    for run in world.server.runs:
        told = await Auditor(store).audit(run)  # type: ignore[arg-type]  # all of a store that it needs
        found += [f"{finding.law}: {finding.message} {list(finding.concerned)[:3]}" for finding in told.findings]
    return found


def _picture(server: MemoryServer) -> Any:
    # Of these, only cells and runs are ever changed in their place.
    return dict(server.verdicts), dict(server.completions), copy.deepcopy((server.cells, server.runs))


def _finished(world: World, message: Outgoing) -> bool:
    """Tell whether a message is a batch of a run that has finished; all batches have their header in the same place."""
    run = TrialBatch.FromString(message.data).header.run
    return bool(world.server.runs[run]["run"]["state"] == RunState.RUN_STATE_FINISHED)


class Nosy:
    """A provider that has no answer, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    async def ask(self, question: CompletionRequest) -> ProviderResult:
        self.asked.add(completion_id(question))
        return ProviderFault("it is over", FaultKind.FINAL)


class Replay:
    """Puts recorded messages through the stages again, as if their run were still going on."""

    def __init__(self, world: World, store: MemoryStore, provider: Nosy) -> None:
        self.random = random.Random(f"replay {world.plan.seed}")
        self.recorded = [message for message in world.exchange.published.values() if _finished(world, message)]
        desk = gateway_desk(Means(store, None, provider, world.clock, None))  # type: ignore[arg-type]  # it needs no more

        async def running(run: str) -> RunState.ValueType:
            return RunState.RUN_STATE_RUNNING

        trials = TrialHandler(desk.models, desk.completer, EndedRuns(running, 1000), TrialBudget(1))
        self.stages: dict[str, tuple[Any, Any]] = {
            "attack": (TrialBatch, attack_stage(AttackSettings()).handle),
            "writing": (TrialBatch, writing_stage(AttackSettings(), desk, EndedRuns(running, 1000)).handle),
            "gateway": (TrialBatch, trials.handle),
            "judge": (CompletionBatch, judge_stage(JudgeSettings(), nobody, METRICS, EndedRuns(running, 1000)).handle),
            "ranking": (VerdictBatch, ranking_stage(store, lambda _: None, RankingSettings()).handle),  # type: ignore[arg-type]  # all of a store that it needs
        }

    async def play(self) -> None:
        for message in self.random.choices(self.recorded, k=min(REPLAYED, len(self.recorded))):
            await self.feed(message)

    async def feed(self, message: Outgoing) -> None:
        where, name = message.subject.split(".")[:2]
        if where != "work":
            return
        kind, handle = self.stages[name]
        try:
            outputs = await handle(kind.FromString(message.data))
        except Reject:
            return
        for output in outputs:
            await self.feed(output)
