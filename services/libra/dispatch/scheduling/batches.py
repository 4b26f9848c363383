"""Make the batches that carry a run's trials to the stages."""

from __future__ import annotations

from collections.abc import Sequence

from libra.contracts.attacks import PLAIN
from libra.stage.batch import split
from libra.store.runs import RunSection
from libra.v1.batch_pb2 import BatchHeader, CompletedTrial, CompletionBatch, Trial, TrialBatch, VerdictBatch
from libra.v1.run_pb2 import Run
from libra.v1.task_pb2 import Category, Sample
from libra.v1.verdict_pb2 import Outcome, Verdict


def header(run: Run, section: RunSection, model: str, *, sending: int) -> BatchHeader:
    """Return what the trials of a section have in common for one model."""
    # Only what comes under attack is written for.
    attacked = section.attack != PLAIN
    return BatchHeader(
        run=run.id,
        model=model,
        task=section.task,
        attack=section.attack,
        category=Category.ValueType(section.category),
        seed=run.spec.seed,
        parameters=run.spec.parameters,
        fresh=run.spec.fresh,
        judge=section.judge,
        sending=sending,
        attack_model=run.spec.attack_model if attacked else "",
        attack_judge_model=run.spec.judge_model if attacked else "",
    )


def trial_batches(head: BatchHeader, samples: Sequence[Sample], epochs: Sequence[int]) -> list[TrialBatch]:
    """Return the trials of `samples`, each in the epoch at its side, in as few batches as the limits allow."""
    trials = [
        Trial(sample=sample.ordinal, epoch=epoch, messages=sample.messages, fields=sample.fields)
        for sample, epoch in zip(samples, epochs, strict=True)
    ]
    return [TrialBatch(header=head, trials=part) for part in split(trials)]


def completion_batches(head: BatchHeader, trials: Sequence[CompletedTrial]) -> list[CompletionBatch]:
    """Return trials that have their answers in as few batches as the limits allow."""
    return [CompletionBatch(header=head, trials=part) for part in split(trials)]


def failed_batches(head: BatchHeader, places: Sequence[tuple[int, int]], reason: str) -> list[VerdictBatch]:
    """Return verdicts that declare the trials at these (sample, epoch) FAILED, for the same reason."""
    verdicts = [
        Verdict(sample=sample, epoch=epoch, outcome=Outcome.OUTCOME_FAILED, rationale=reason)
        for sample, epoch in places
    ]
    return [VerdictBatch(header=head, verdicts=part) for part in split(verdicts)]
