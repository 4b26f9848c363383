"""The trials of a rejudging: what an earlier run's models answered, on its way to the judges once more.

Nothing is asked of a model under test: the verdict of the earlier run names the completion, and that holds what was asked and
answered. What the judge compares with is read from the task, as for any run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from libra.bus.streams import JUDGE_CONSUMER, RANKING_CONSUMER, WORK_JUDGE
from libra.dispatch.scheduling.batches import completion_batches
from libra.dispatch.scheduling.trial_source import Place
from libra.store.client import Store
from libra.v1.batch_pb2 import BatchHeader, CompletedTrial, CompletionBatch, Trial
from libra.v1.completion_pb2 import FINISH_REASON_ERROR, Completion
from libra.v1.message_pb2 import Message
from libra.v1.run_pb2 import Run
from libra.v1.task_pb2 import Sample
from libra.v1.verdict_pb2 import Verdict

OF_THE_ATTACK = "attack_"
"""Fields of a verdict that begin so tell what its attack cost. The others are the sample's, or the earlier judge's."""


class Answers:
    """Implements `libra.dispatch.scheduling.trial_source.Source` for a run that judges another's answers again."""

    kind = "answers"

    def __init__(self, store: Store) -> None:
        self._store = store

    def subject(self, head: BatchHeader) -> str:  # noqa: ARG002 - a Source
        """Return the subject of the judges."""
        return WORK_JUDGE

    async def batches(self, run: Run, head: BatchHeader, places: Sequence[Place]) -> list[CompletionBatch]:
        """Return the trials at these places with the answers they got; one that got none carries the reason."""
        source = run.spec.rejudges
        samples, verdicts = await asyncio.gather(
            self._store.tasks.get_samples(head.task, [sample for sample, _ in places]),
            self._store.verdicts.get_by_trial(source, head.model, head.task, head.attack, places),
        )
        names = {verdict.completion_id for verdict in verdicts.values()} - {""}
        kept, messages = await asyncio.gather(
            self._store.completions.get_many(names), self._store.completions.get_messages(names)
        )
        return completion_batches(
            head,
            [
                completed(head, sample, epoch, verdicts.get((sample.ordinal, epoch)), kept, messages)
                for sample, (_, epoch) in zip(samples, places, strict=True)
            ],
        )

    def queues(self, run: Run, model: str) -> Sequence[str]:  # noqa: ARG002 - a Source
        """Return the judges' consumer: a judge may have to ask a model."""
        return (JUDGE_CONSUMER,)

    def way(self, model: str) -> Sequence[str]:  # noqa: ARG002 - a Source
        """Return the consumers of the judges and of the ledger."""
        return JUDGE_CONSUMER, RANKING_CONSUMER


def completed(
    head: BatchHeader,
    sample: Sample,
    epoch: int,
    verdict: Verdict | None,
    kept: Mapping[str, Completion],
    messages: Mapping[str, Sequence[Message]],
) -> CompletedTrial:
    """Return one trial with the answer that its earlier verdict stands on."""
    trial = Trial(sample=sample.ordinal, epoch=epoch, fields=sample.fields)
    if verdict is None:
        return CompletedTrial(
            trial=trial, completion=nothing(head.model, "the run that is judged again has no verdict")
        )
    trial.log.extend(verdict.log)
    trial.fields.update({name: text for name, text in verdict.fields.items() if name.startswith(OF_THE_ATTACK)})
    if not verdict.completion_id:
        return CompletedTrial(trial=trial, completion=nothing(head.model, verdict.rationale))
    if verdict.completion_id not in kept:
        reason = f"the completion {verdict.completion_id} is not kept any more; `libra audit` tells of others"
        return CompletedTrial(trial=trial, completion=nothing(head.model, reason))
    trial.messages.extend(messages.get(verdict.completion_id, ()))
    answer = Completion()
    answer.CopyFrom(kept[verdict.completion_id])
    answer.attempts = 0  # nothing was asked for it this time
    return CompletedTrial(trial=trial, completion=answer)


def nothing(model: str, reason: str) -> Completion:
    """Return the completion of a trial that got no answer."""
    return Completion(model=model, finish_reason=FINISH_REASON_ERROR, error=reason)
