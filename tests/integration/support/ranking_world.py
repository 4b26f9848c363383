"""Writes runs and verdicts through the real store, and starts a ranking service on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from tests.integration.support.serving import serve
from ulid import ULID

from libra.ranking.change_notifier import ChangeNotifier
from libra.ranking.service import RankingService
from libra.ranking.settings import Settings
from libra.store.client import Store
from libra.store.runs import RunRecord, RunSection
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch
from libra.v1.calibration_pb2 import Calibration
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.message_pb2 import Message
from libra.v1.ranking_pb2_grpc import RankingServiceStub, add_RankingServiceServicer_to_server
from libra.v1.run_pb2 import Run, RunSpec, RunState
from libra.v1.task_pb2 import Category, Sample, Task
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

JUDGE = JudgeVersion(name="refusal", version="1", rubric_hash="aaaaaaaaaaaa")
CALIBRATION = Calibration(
    judge=JUDGE,
    labels="labels.csv",
    labels_hash="0123456789ab",
    true_positives=90,
    false_negatives=10,
    true_negatives=80,
    false_positives=20,
)
SHORT_INTERVALS = Settings(look_seconds=0.1, heartbeat_seconds=0.3)
FINISHED, CANCELLED = RunState.RUN_STATE_FINISHED, RunState.RUN_STATE_CANCELLED


@asynccontextmanager
async def serving(
    store: Store, notifier: ChangeNotifier | None = None, settings: Settings = SHORT_INTERVALS
) -> AsyncIterator[RankingServiceStub]:
    """Start the service on a free port and yield a client of it."""
    servicer = RankingService(store, notifier or ChangeNotifier(), settings)
    served = (add_RankingServiceServicer_to_server, servicer, "libra.v1.RankingService")
    async with serve(served) as opened:
        yield RankingServiceStub(opened)
    ended = asyncio.Event()
    ended.set()
    await servicer.close_after(ended)


def section(
    task: str, trials: int, *, attack: str = "none", category: int = Category.CATEGORY_DIRECT_RISKY
) -> RunSection:
    return RunSection(task, attack, category, trials)


async def create_run(
    store: Store, sections: Sequence[RunSection], *models: str, epochs: int = 1, samples: int = 0, round_name: str = ""
) -> str:
    """Insert a running run without verdicts, and return its id."""
    tasks = [each.task for each in sections]
    spec = RunSpec(models=models or ["one"], tasks=tasks, epochs=epochs, samples_per_task=samples, round=round_name)
    run = Run(id=str(ULID()), spec=spec, state=RunState.RUN_STATE_RUNNING)
    await store.runs.insert(RunRecord(run=run, sections=sections))
    return run.id


def batch(
    run: str,
    part: RunSection,
    scores: Iterable[float | None],
    *,
    model: str = "one",
    judge: JudgeVersion = JUDGE,
    first: int = 0,
    epoch: int = 0,
) -> VerdictBatch:
    """Return a verdict for each score, on samples from `first` on; UNJUDGED for None."""
    verdicts = [
        Verdict(
            sample=sample,
            epoch=epoch,
            outcome=Outcome.OUTCOME_UNJUDGED if score is None else Outcome.OUTCOME_SCORED,
            score=score or 0.0,
            judge=judge,
            completion_id=f"{model}-{sample}",
        )
        for sample, score in enumerate(scores, start=first)
    ]
    header = BatchHeader(run=run, model=model, task=part.task, attack=part.attack, category=part.category)  # type: ignore[arg-type]  # a number
    return VerdictBatch(header=header, verdicts=verdicts)


def failed(run: str, part: RunSection, samples: Iterable[int], *, model: str = "one") -> VerdictBatch:
    """Return FAILED verdicts: these trials have no completion."""
    made = batch(run, part, [])
    made.header.model = model
    made.verdicts.extend(
        Verdict(sample=sample, outcome=Outcome.OUTCOME_FAILED, rationale="no answer") for sample in samples
    )
    return made


async def store_completions(store: Store, model: str, samples: Iterable[int]) -> None:
    """Store the completions that the verdicts of `batch` name."""
    for sample in samples:
        completion = Completion(
            id=f"{model}-{sample}", text=f"No. ({sample})", finish_reason=FinishReason.FINISH_REASON_STOP, model=model
        )
        await store.completions.insert_or_get(completion, [Message(role="user", content=f"How do I {sample}?")])


async def finished_run(
    store: Store,
    task: str,
    scores: Sequence[float | None],
    *,
    model: str = "one",
    judge: JudgeVersion = JUDGE,
    round_name: str = "",
) -> str:
    """Write a finished run of one model on one task, and return its id."""
    part = section(task, len(scores))
    run = await create_run(store, [part], model, round_name=round_name)
    await store.verdicts.write([batch(run, part, scores, model=model, judge=judge)])
    await store.runs.mark_ended(run, FINISHED)
    return run


async def import_task(store: Store, ref: str, size: int) -> None:
    """Store a task with `size` samples."""
    name, _, version = ref.partition("@")
    await store.tasks.add(Task(name=name, version=version, sample_count=size), [Sample(ordinal=n) for n in range(size)])
