"""Make the batches of an ordinary run: samples for the attack stage or, without an attack, for the model."""

from __future__ import annotations

from collections.abc import Sequence

from libra.bus.streams import (
    ATTACK_CONSUMER,
    JUDGE_CONSUMER,
    RANKING_CONSUMER,
    WORK_ATTACK,
    WRITING_CONSUMER,
    gateway_consumer,
    work_gateway,
)
from libra.core.attack_names import PLAIN
from libra.dispatch.scheduling.trial_source import TrialKey
from libra.stage.batch import split
from libra.store.client import Store
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch
from libra.v1.run_pb2 import Run
from libra.v1.task_pb2 import Sample


class PromptSource:
    """Implements `TrialSource` for a run that queries its models."""

    message_kind = "trials"

    def __init__(self, store: Store) -> None:
        self._store = store

    def subject(self, header: BatchHeader) -> str:
        """Return the attack stage's subject, or the model's own if there is no attack."""
        return work_gateway(header.model) if header.attack == PLAIN else WORK_ATTACK

    async def batches(
        self,
        run: Run,  # noqa: ARG002 - required by TrialSource
        header: BatchHeader,
        trials: Sequence[TrialKey],
    ) -> list[TrialBatch]:
        """Return the samples of these trials, loaded from the store."""
        samples = await self._store.tasks.get_samples(header.task, [sample for sample, _ in trials])
        return trial_batches(header, samples, [epoch for _, epoch in trials])

    def backlog_consumers(self, run: Run, model: str) -> Sequence[str]:
        """Return the consumers of the attack stage, of model-written attacks if the run has any, and of the model."""
        writing = (WRITING_CONSUMER,) if run.spec.attack_model else ()
        return ATTACK_CONSUMER, *writing, gateway_consumer(model)

    def pipeline_consumers(self, model: str) -> Sequence[str]:
        """Return the consumers of every stage."""
        return ATTACK_CONSUMER, WRITING_CONSUMER, gateway_consumer(model), JUDGE_CONSUMER, RANKING_CONSUMER


def trial_batches(header: BatchHeader, samples: Sequence[Sample], epochs: Sequence[int]) -> list[TrialBatch]:
    """Return one trial for each sample and the epoch at the same index, in as few batches as the limits allow."""
    trials = [
        Trial(sample=sample.ordinal, epoch=epoch, messages=sample.messages, fields=sample.fields)
        for sample, epoch in zip(samples, epochs, strict=True)
    ]
    return [TrialBatch(header=header, trials=part) for part in split(trials)]
