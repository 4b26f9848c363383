"""The gateway stage: decode a batch of trials, look up its model, complete the trials, publish their completions.

The trials of a batch are completed concurrently, within the model's limits. A trial without an answer is an outcome
(FINISH_REASON_ERROR) and does not affect the others. A batch whose run ends is dropped, even while it waits: cancelling
a run stops the spending.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from libra.bus.streams import WORK_JUDGE
from libra.core.errors import unknown
from libra.gateway.completion.completer import Completer
from libra.gateway.completion.model_client import failed_completion
from libra.gateway.components import Components
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.limits.prefetch import TrialBudget, UnansweredTrials
from libra.gateway.model_cache import ModelCache
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.request import CompletionRequest, problem_of, timeout_seconds, turns
from libra.stage.batch import MAX_TRIALS, split
from libra.stage.bus import Outgoing
from libra.stage.ended_runs import EndedRuns
from libra.stage.policy import Policy
from libra.stage.stage import Stage
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, Trial, TrialBatch
from libra.v1.completion_pb2 import Completion
from libra.v1.model_pb2 import Model

NAME = "gateway"
SMALL_BATCH_TRIALS = 8
SPARE_SLOTS = 8


def stage(channel: ModelChannel, components: Components) -> Stage[TrialBatch]:
    """Return the stage that handles the batches of one model."""
    settings = components.settings
    handler = TrialHandler(components.models, components.completer, components.ended_runs, channel.trial_budget)
    worst_seconds = settings.retry_policy().worst_seconds(timeout_seconds(channel.model)) + settings.hold_seconds
    return Stage(
        name=NAME,
        decode=TrialBatch.FromString,
        handle=handler.handle,
        policy=policy(channel.limits.in_flight, worst_seconds, settings.drain_seconds),
        trials=lambda batch: (batch.header.model, len(batch.trials)),
    )


def policy(in_flight: int, worst_seconds: float, drain_seconds: float) -> Policy:
    """Return the limits under which the batches of one model are handled.

    Slots: `TrialBudget` counts trials and decides how many batches are taken; slots only bound that number. One slot
    for every 8 requests in flight, and 8 for batches that wait for a last answer or for space in the next queue, keep
    the model busy even with batches of 8 trials: 9 slots for 8 in flight, 71 for 500.

    Deadline: only a bug can reach this deadline. A batch takes as long as its slowest trial, and a trial waits for all
    that came before it: 64 trials at 8 in flight and 30 s each take 64 / 8 x 30 = 240 s, behind a second batch 480 s,
    and an hour where the provider has reduced the concurrency to 1. Everything that can hang has its own bound: a
    request has the model's timeout, an answer the retry policy (`worst_seconds`), and an answer that cannot be stored
    the hold time. The deadline is the time in which all trials that a replica may hold end one after another, each at
    its worst.
    """
    slots = SPARE_SLOTS + math.ceil(in_flight / SMALL_BATCH_TRIALS)
    return Policy(slots=slots, deadline_seconds=slots * MAX_TRIALS * worst_seconds, drain_seconds=drain_seconds)


class TrialHandler:
    """Handles the batches of one model."""

    def __init__(
        self, models: ModelCache, completer: Completer, ended_runs: EndedRuns, trial_budget: TrialBudget
    ) -> None:
        self._models, self._completer = models, completer
        self._ended_runs, self._trial_budget = ended_runs, trial_budget

    async def handle(self, batch: TrialBatch) -> Sequence[Outgoing]:
        """Return the messages for the judges, none if the run has ended. Raises Unavailable to get the batch again."""
        unanswered = self._trial_budget.add_batch(len(batch.trials))
        try:
            completions = await self._ended_runs.unless_ended(batch.header, lambda: self._complete(batch, unanswered))
        finally:
            self._trial_budget.remove_batch(unanswered)
        return [] if completions is None else to_messages(batch, completions)

    async def _complete(self, batch: TrialBatch, unanswered: UnansweredTrials) -> list[Completion]:
        """Return the completion of each trial, in order."""
        header = batch.header
        model = await self._models.find(header.model)
        if model is None:
            reason = unknown("model", header.model, [known.name for known in await self._models.list()])
            return [failed_completion("", header.model, reason) for _ in batch.trials]
        problems = [problem_of(trial.messages) for trial in batch.trials]
        requests = [
            _to_request(model, header, trial)
            for trial, problem in zip(batch.trials, problems, strict=True)
            if not problem
        ]
        completions = iter(await self._completer.complete(requests, Lane.BATCH, on_answer=unanswered.on_answer))
        return [failed_completion("", model.name, problem) if problem else next(completions) for problem in problems]


def _to_request(model: Model, header: BatchHeader, trial: Trial) -> CompletionRequest:
    fresh_for = header.run if header.fresh else ""
    return CompletionRequest(model, header.parameters, turns(trial.messages), trial.epoch, fresh_for)


def to_messages(batch: TrialBatch, completions: Sequence[Completion]) -> list[Outgoing]:
    """Return the messages that carry the trials with their completions to the judges."""
    whole = CompletionBatch(header=batch.header)
    for trial, completion in zip(batch.trials, completions, strict=True):
        completed = whole.trials.add()
        completed.trial.CopyFrom(trial)
        completed.completion.CopyFrom(completion)
    parts = split(whole.trials)
    # Usually everything fits into one message; only long answers are copied once more.
    batches = [whole] if len(parts) == 1 else [CompletionBatch(header=batch.header, trials=part) for part in parts]
    return [Outgoing(WORK_JUDGE, message_key(each), each.SerializeToString(deterministic=True)) for each in batches]


def message_key(batch: CompletionBatch) -> str:
    """Return the key of a batch: the same trials with the same answers are one message.

    It is not the hash of all bytes, because an answer that is found in the store has other `attempts` than a new one.
    """
    digest = hashlib.sha256(batch.header.SerializeToString(deterministic=True))
    for each in batch.trials:
        completion = each.completion
        digest.update(f"|{each.trial.sample}/{each.trial.epoch}/{completion.id}/{completion.finish_reason}".encode())
    return f"completions/{digest.hexdigest()}"
