"""The gateway stage: put the trials of a batch to their model, and pass them on with its answers.

Trials are asked side by side, under the model's limits; one without an answer is an outcome (FINISH_REASON_ERROR) and costs
its neighbours nothing. A batch of a run that has ended is dropped, also while it waits: cancelling stops the spending.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import structlog

from libra.bus.streams import WORK_JUDGE
from libra.errors import unknown
from libra.gateway.completion.completions import Completions
from libra.gateway.completion.request import CompletionRequest, problem_of, turns
from libra.gateway.limits.limiter import Lane
from libra.gateway.limits.trial_budget import Share, TrialBudget
from libra.gateway.model_cache import ModelCache
from libra.gateway.model_client import failed
from libra.stage.batch import MAX_TRIALS, split
from libra.stage.bus import Outgoing
from libra.stage.ended_runs import EndedRuns
from libra.stage.policy import Policy
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, Trial, TrialBatch
from libra.v1.completion_pb2 import Completion
from libra.v1.model_pb2 import Model

log = structlog.get_logger(__name__)

NAME = "gateway"
SMALL_BATCH_TRIALS = 8
SPARE_SLOTS = 8


def policy(in_flight: int, worst_seconds: float, drain_seconds: float) -> Policy:
    """Return the limits that the batches of one model are handled under.

    Slots: `TrialBudget` counts trials, so that batches are taken as they are needed; slots only bound how many those may be. With
    one for every 8 requests in flight, and 8 for batches that wait for a last answer or for room in the next queue, batches
    of 8 trials still keep the model busy: 9 slots for 8 in flight, 71 for 500.

    Deadline: none that sound work can meet. A handling lasts as long as its slowest trial, and a trial waits for all that are
    before it: 64 trials at 8 in flight and 30 s each take 64 / 8 x 30 = 240 s, behind a second batch 480 s, and where the
    provider has pressed the level down to 1, an hour. What can hang is bounded where it happens: a request by the model's
    timeout, an answer by the retry policy (`worst_seconds`), an answer that cannot be stored by the hold. So the deadline is
    the time in which all trials that may be in hand end one after another, each at its worst.
    """
    slots = SPARE_SLOTS + math.ceil(in_flight / SMALL_BATCH_TRIALS)
    return Policy(slots=slots, deadline_seconds=slots * MAX_TRIALS * worst_seconds, drain_seconds=drain_seconds)


class Trials:
    """Handles the batches of one model."""

    def __init__(self, entries: ModelCache, completions: Completions, ended: EndedRuns, hand: TrialBudget) -> None:
        self._entries, self._completions, self._ended, self._hand = entries, completions, ended, hand

    async def handle(self, batch: TrialBatch) -> Sequence[Outgoing]:
        """Return the batch with its answers, or nothing if its run has ended; raise Unavailable to be given it again."""
        share = self._hand.take(len(batch.trials))
        try:
            completions = await self._ended.unless_ended(batch.header, lambda: self._answer(batch, share))
        finally:
            self._hand.put_down(share)
        if completions is None:
            return []
        return outputs(batch, completions)

    async def _answer(self, batch: TrialBatch, share: Share) -> list[Completion]:
        """Return the completion of each trial, in order."""
        header = batch.header
        model = await self._entries.find(header.model)
        if model is None:
            reason = unknown("model", header.model, [known.name for known in await self._entries.list()])
            return [failed("", header.model, reason) for _ in batch.trials]
        problems = [problem_of(trial.messages) for trial in batch.trials]
        questions = [
            _question(model, header, trial) for trial, bad in zip(batch.trials, problems, strict=True) if not bad
        ]
        answers = iter(await self._completions.answer(questions, Lane.BATCH, on_answer=share.answered))
        return [failed("", model.name, bad) if bad else next(answers) for bad in problems]


def _question(model: Model, header: BatchHeader, trial: Trial) -> CompletionRequest:
    fresh_for = header.run if header.fresh else ""
    return CompletionRequest(model, header.parameters, turns(trial.messages), trial.epoch, fresh_for)


def outputs(batch: TrialBatch, completions: Sequence[Completion]) -> list[Outgoing]:
    """Return the messages that carry the trials with their completions."""
    whole = CompletionBatch(header=batch.header)
    for trial, completion in zip(batch.trials, completions, strict=True):
        completed = whole.trials.add()
        completed.trial.CopyFrom(trial)
        completed.completion.CopyFrom(completion)
    parts = split(whole.trials)
    # All in one is the rule; only answers of some length are copied once more.
    batches = [whole] if len(parts) == 1 else [CompletionBatch(header=batch.header, trials=part) for part in parts]
    return [Outgoing(WORK_JUDGE, key(each), each.SerializeToString(deterministic=True)) for each in batches]


def key(batch: CompletionBatch) -> str:
    """Return the key of a batch: the same trials with the same answers are one message.

    Not the hash of all its bytes: an answer that is found again says that nothing was asked for it this time.
    """
    digest = hashlib.sha256(batch.header.SerializeToString(deterministic=True))
    for each in batch.trials:
        completion = each.completion
        digest.update(f"|{each.trial.sample}/{each.trial.epoch}/{completion.id}/{completion.finish_reason}".encode())
    return f"completions/{digest.hexdigest()}"
