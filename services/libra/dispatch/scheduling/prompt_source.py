"""The trials of a run: samples on their way to the attacks and the model."""

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
from libra.contracts.attacks import PLAIN
from libra.dispatch.scheduling.batches import trial_batches
from libra.dispatch.scheduling.trial_source import Place
from libra.store.client import Store
from libra.v1.batch_pb2 import BatchHeader, TrialBatch
from libra.v1.run_pb2 import Run


class Prompts:
    """Implements `libra.dispatch.scheduling.trial_source.Source` for a run that asks its models."""

    kind = "trials"

    def __init__(self, store: Store) -> None:
        self._store = store

    def subject(self, head: BatchHeader) -> str:
        """Return the subject of the attacks, or of the model for what is put to it as it stands."""
        return work_gateway(head.model) if head.attack == PLAIN else WORK_ATTACK

    async def batches(self, run: Run, head: BatchHeader, places: Sequence[Place]) -> list[TrialBatch]:  # noqa: ARG002 - a Source
        """Return the samples at these places, each in its epoch."""
        samples = await self._store.tasks.get_samples(head.task, [sample for sample, _ in places])
        return trial_batches(head, samples, [epoch for _, epoch in places])

    def queues(self, run: Run, model: str) -> Sequence[str]:
        """Return the consumers of the attacks, of those that ask a model if the run has any, and of the model."""
        written = (WRITING_CONSUMER,) if run.spec.attack_model else ()
        return ATTACK_CONSUMER, *written, gateway_consumer(model)

    def way(self, model: str) -> Sequence[str]:
        """Return the consumer of every stage."""
        return ATTACK_CONSUMER, WRITING_CONSUMER, gateway_consumer(model), JUDGE_CONSUMER, RANKING_CONSUMER
