"""The gateway stage: decode a batch of trials, look up its model, complete the trials, publish their completions.

The trials of a batch are completed concurrently, within the model's limits. A trial without an answer is an outcome
(FINISH_REASON_ERROR) and does not affect the others. A batch whose run ends is dropped, even while it waits: cancelling
a run stops the spending.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from libra.core.errors import unknown
from libra.gateway.budget.account import BudgetAccounts
from libra.gateway.budget.charge import is_over_budget
from libra.gateway.completion.answer_memory import AnswerMemory
from libra.gateway.completion.completer import Completer
from libra.gateway.completion.job import Patience
from libra.gateway.completion.model_client import failed_completion
from libra.gateway.completion_messages import hold_message, to_messages
from libra.gateway.components import Components
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.limits.prefetch import UnansweredTrials
from libra.gateway.model_cache import ModelCache
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.request import CompletionRequest, problem_of, timeout_seconds, turns
from libra.stage.batch import MAX_TRIALS, shared_within
from libra.stage.bus import Outgoing
from libra.stage.ended_runs import EndedRuns
from libra.stage.policy import Policy
from libra.stage.stage import Stage
from libra.v1.batch_pb2 import TrialBatch
from libra.v1.completion_pb2 import Completion

NAME = "gateway"
SMALL_BATCH_TRIALS = 8
SPARE_SLOTS = 8


def stage(channel: ModelChannel, components: Components) -> Stage[TrialBatch]:
    """Return the stage that handles the batches of one model."""
    settings = components.settings
    memory = components.answer_memory
    handler = TrialHandler(
        components.models, components.completer, components.ended_runs, channel, memory, components.budgets
    )
    channel.trial_budget.is_memory_full = memory.is_full
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
        self,
        models: ModelCache,
        completer: Completer,
        ended_runs: EndedRuns,
        channel: ModelChannel,
        memory: AnswerMemory | None = None,
        budgets: BudgetAccounts | None = None,
    ) -> None:
        self._budgets = budgets
        self._models, self._completer = models, completer
        self._ended_runs, self._channel = ended_runs, channel
        self._memory = memory or AnswerMemory()

    async def handle(self, batch: TrialBatch) -> Sequence[Outgoing]:
        """Return the messages for the judges, none if the run has ended. Raises Unavailable to get the batch again."""
        unanswered = self._channel.trial_budget.add_batch(len(batch.trials))
        try:
            completions = await self._ended_runs.unless_ended(batch.header, lambda: self._complete(batch, unanswered))
        finally:
            self._channel.trial_budget.remove_batch(unanswered)
        if completions is None:
            return []
        if batch.header.has_budget:
            batch, completions = without_unpaid(batch, completions)
        return [hold_message(message, self._memory) for message in to_messages(batch, completions)]

    async def _complete(self, batch: TrialBatch, unanswered: UnansweredTrials) -> list[Completion]:
        """Return the completion of each trial, in order."""
        header = batch.header
        patience, activity = Patience.of_run(header.run), self._channel.activity
        model = await self._models.find(header.model)
        if model is None:
            reason = unknown("model", header.model, [known.name for known in await self._models.list()])
            return [failed_completion("", header.model, reason) for _ in batch.trials]
        conversations = [turns(trial.messages) for trial in batch.trials]
        problems = [problem_of(conversation) for conversation in conversations]
        fresh_for, parameters = shared_within(header), header.parameters
        requests = [
            CompletionRequest(model, parameters, conversation, trial.epoch, fresh_for, team=header.team)
            for trial, conversation, problem in zip(batch.trials, conversations, problems, strict=True)
            if not problem
        ]
        completions = iter(
            await self._completer.complete(
                requests,
                Lane.BATCH,
                on_answer=activity.answer_counter(header.run, unanswered.on_answer),
                patience=patience,
                is_cancelled=lambda: self._ended_runs.is_cancelled(header.run),
                account=self._budgets.of(header.run) if header.has_budget and self._budgets else None,
            )
        )
        return [failed_completion("", model.name, problem) if problem else next(completions) for problem in problems]


def without_unpaid(batch: TrialBatch, completions: Sequence[Completion]) -> tuple[TrialBatch, list[Completion]]:
    """Return the batch without the trials that the run's budget did not cover: they are sent again once it does."""
    paid = [pair for pair in zip(batch.trials, completions, strict=True) if not is_over_budget(pair[1])]
    kept = TrialBatch(header=batch.header, trials=[trial for trial, _ in paid])
    return kept, [completion for _, completion in paid]
