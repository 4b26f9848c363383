"""Make the batches of a rejudging: the stored answers of an earlier run, for the judge stage.

No model under test is queried: the earlier run's verdict names the completion, which holds the prompt and the answer.
The sample's fields, which the judge compares with, are read from the task, as for any run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from libra.bus.streams import JUDGE_CONSUMER, RANKING_CONSUMER, WORK_JUDGE
from libra.core.attack_fields import PREFIX
from libra.core.attack_names import PLAIN
from libra.dispatch.scheduling.trial_source import TrialKey
from libra.stage.batch import split
from libra.store.client import Store
from libra.v1.batch_pb2 import BatchHeader, CompletedTrial, CompletionBatch, Trial
from libra.v1.completion_pb2 import FINISH_REASON_ERROR, Completion
from libra.v1.message_pb2 import Message
from libra.v1.run_pb2 import Run
from libra.v1.task_pb2 import Sample
from libra.v1.verdict_pb2 import Verdict


class RejudgeSource:
    """Implements `TrialSource` for a run that judges the answers of another run again."""

    message_kind = "answers"

    def __init__(self, store: Store) -> None:
        self._store = store

    def subject(self, header: BatchHeader) -> str:  # noqa: ARG002 - required by TrialSource
        """Return the judge stage's subject."""
        return WORK_JUDGE

    async def batches(self, run: Run, header: BatchHeader, trials: Sequence[TrialKey]) -> list[CompletionBatch]:
        """Return the trials with their stored answers; a trial without an answer carries the reason."""
        samples, verdicts = await asyncio.gather(
            self._store.tasks.get_samples(header.task, [sample for sample, _ in trials]),
            self._store.verdicts.get_by_trial(run.spec.rejudges, header.model, header.task, header.attack, trials),
        )
        completion_ids = {verdict.completion_id for verdict in verdicts.values()} - {""}
        completions, prompts = await asyncio.gather(
            self._store.completions.get_many(completion_ids), self._store.completions.get_messages(completion_ids)
        )
        completed = [
            completed_trial(header, sample, epoch, verdicts.get((sample.ordinal, epoch)), completions, prompts)
            for sample, (_, epoch) in zip(samples, trials, strict=True)
        ]
        return [CompletionBatch(header=header, trials=part) for part in split(completed)]

    def backlog_consumers(self, run: Run, model: str) -> Sequence[str]:  # noqa: ARG002 - required by TrialSource
        """Return the judge stage's consumer: it is the slowest if a judge queries a model."""
        return (JUDGE_CONSUMER,)

    def pipeline_consumers(self, model: str) -> Sequence[str]:  # noqa: ARG002 - required by TrialSource
        """Return the consumers of the judge and the ranking stage."""
        return JUDGE_CONSUMER, RANKING_CONSUMER


def completed_trial(
    header: BatchHeader,
    sample: Sample,
    epoch: int,
    verdict: Verdict | None,
    completions: Mapping[str, Completion],
    prompts: Mapping[str, Sequence[Message]],
) -> CompletedTrial:
    """Return one trial with the answer that its earlier verdict is based on."""
    aim = () if header.attack == PLAIN else sample.messages
    trial = Trial(sample=sample.ordinal, epoch=epoch, fields=sample.fields, aim=aim)
    if verdict is None:
        reason = "the run that is judged again has no verdict"
        return CompletedTrial(trial=trial, completion=failed_completion(header.model, reason))
    trial.log.extend(verdict.log)
    trial.fields.update({name: value for name, value in verdict.fields.items() if name.startswith(PREFIX)})
    if not verdict.completion_id:
        return CompletedTrial(trial=trial, completion=failed_completion(header.model, verdict.rationale))
    if verdict.completion_id not in completions:
        reason = f"the completion {verdict.completion_id} is no longer stored; `libra audit` lists all that are missing"
        return CompletedTrial(trial=trial, completion=failed_completion(header.model, reason))
    trial.messages.extend(prompts.get(verdict.completion_id, ()))
    completion = Completion()
    completion.CopyFrom(completions[verdict.completion_id])
    completion.attempts = 0  # this run made no request for it
    return CompletedTrial(trial=trial, completion=completion)


def failed_completion(model: str, reason: str) -> Completion:
    """Return the completion of a trial that has no answer."""
    return Completion(model=model, finish_reason=FINISH_REASON_ERROR, error=reason)
