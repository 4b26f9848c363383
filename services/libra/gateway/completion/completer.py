"""Completes requests with an answer from the store, from an equal request in flight, or from the model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import structlog

from libra.gateway.adjustments.memory import AdjustmentMemory
from libra.gateway.budget.account import BudgetAccount
from libra.gateway.completion.answer_memory import AnswerMemory
from libra.gateway.completion.job import CompletionJob, Patience
from libra.gateway.completion.key import completion_id, shared_part
from libra.gateway.completion.lookup import Lookup
from libra.gateway.completion.model_client import ModelClient
from libra.gateway.completion.single_flight import SingleFlight
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_channel import ModelChannels
from libra.gateway.provider.applied_adjustments import with_adjustments
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.streaming.text_relay import Restart, TextRelay
from libra.store.completions import CompletionCollection
from libra.telemetry.log_actions import Action
from libra.v1.completion_pb2 import FINISH_REASON_ERROR, Completion

PATIENT = Patience()

log = structlog.get_logger(__name__)

OnAnswer = Callable[[asyncio.Task[Completion]], None]


class Completer:
    """Asks for no answer twice within this process, as long as the store keeps what was written."""

    def __init__(
        self,
        store: CompletionCollection,
        model_client: ModelClient,
        writer: CompletionWriter,
        channels: ModelChannels,
        adjustments: AdjustmentMemory,
        memory: AnswerMemory | None = None,
    ) -> None:
        self._store, self._model_client, self._writer, self._channels = store, model_client, writer, channels
        self._adjustments = adjustments
        self._memory = memory or AnswerMemory()
        self._flights = SingleFlight(self._run)

    async def complete(
        self,
        requests: Sequence[CompletionRequest],
        lane: Lane,
        *,
        on_answer: OnAnswer | None = None,
        patience: Patience = PATIENT,
        is_cancelled: Callable[[], bool] = lambda: False,
        account: BudgetAccount | None = None,
    ) -> list[Completion]:
        """Return the completion of each request, in order; `on_answer` is called with the task of each as it ends.

        If this call is cancelled, requests in flight are answered and stored, unless `is_cancelled` says that their run
        was cancelled too: then they are broken off, if nobody else waits for them.

        A request without an answer has FINISH_REASON_ERROR. `account` pays for the requests; one that it does not cover
        is not made, see `libra.gateway.budget.charge.is_over_budget`. Raises Unavailable if the store cannot be reached
        or this replica is about to stop. Requests in flight are then answered and stored first, so that they are found
        the next time.
        """
        if not requests:
            return []
        await self._adjustments.refresh()
        lookup = Lookup(self._store.get_many)
        joined = self._join(requests, lane, lookup, account)
        for job, _ in joined:
            job.extend_patience(patience)
        if on_answer:
            for job, _ in joined:
                job.task.add_done_callback(on_answer)
        try:
            # `asyncio.wait` does not cancel the tasks when this call is cancelled: others may share them.
            done, _ = await asyncio.wait({job.task for job, _ in joined}, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except BaseException as error:
            self._leave(joined, cancel_paid=is_cancelled())
            if not isinstance(error, asyncio.CancelledError):
                await _wait_for_paid([job for job, _ in joined])
            raise
        self._leave(joined)
        return [job.task.result() if is_first else _unpaid(job.task.result()) for job, is_first in joined]

    async def stream(
        self, request: CompletionRequest, lane: Lane, *, patience: Patience = PATIENT
    ) -> AsyncGenerator[str | Restart | Completion]:
        """Yield the text of an answer while it arrives, then the completion, as `complete` returns it.

        A caller who leaves ends the request, unless another caller waits for its answer. Raises as `complete` does.
        """
        await self._adjustments.refresh()
        relay = TextRelay()
        [(job, is_first)] = self._join([request], lane, Lookup(self._store.get_many), None, relay)
        job.extend_patience(patience)
        job.task.add_done_callback(lambda _: relay.close())
        try:
            # A job that was started for another caller, who does not listen, has no relay: its text comes at once.
            async for part in (job.relay or relay).parts():
                yield part
            await asyncio.wait({job.task})
            completion = job.task.result()
        except BaseException:
            self._leave([(job, is_first)], cancel_paid=True)
            raise
        self._leave([(job, is_first)])
        yield completion if is_first else _unpaid(completion)

    async def ask_once(self, request: CompletionRequest, model_client: ModelClient) -> Completion:
        """Return the completion of one request by `model_client`: past the store, within the model's limits.

        A request that its endpoint refuses is adjusted, as in `complete`.
        """
        await self._adjustments.refresh()
        channel, learned = self._channels.get(request.model), self._adjustments.of(request.model)
        request = with_adjustments(request, learned.replacements)
        job = CompletionJob("", request, channel, Lane.INTERACTIVE, Lookup(_find_nothing), learned)
        while (completion := await model_client.ask_once(job)) is None:
            pass
        if not completion.error:
            self._remember(job)
        return completion

    async def drain(self, seconds: float) -> None:
        """Wait up to `seconds` until requests in flight are answered and stored, then cancel the rest."""
        tasks = self._flights.paid_tasks()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._adjustments.drain(seconds)

    def _join(
        self,
        requests: Sequence[CompletionRequest],
        lane: Lane,
        lookup: Lookup,
        account: BudgetAccount | None,
        relay: TextRelay | None = None,
    ) -> list[tuple[CompletionJob, bool]]:
        """Return the job for each request, and whether it was started for this request."""
        model, parameters, joined = None, None, []
        for request in requests:
            if request.model is not model or request.parameters is not parameters:  # a batch has the same ones
                model, parameters = request.model, request.parameters
                channel, learned, shared = self._channels.get(model), self._adjustments.of(model), shared_part(request)
            adjusted = with_adjustments(request, learned.replacements)
            job = CompletionJob(completion_id(adjusted, shared), adjusted, channel, lane, lookup, learned)
            job.account, job.relay = account, relay
            running, is_first = self._flights.join(job)
            if account is None:
                running.account = None  # this request may be made whatever is left of the budget of another run
            if is_first:
                lookup.add(job.key)  # the job's task begins only after all requests of the batch have joined
            joined.append((running, is_first))
        return joined

    def _leave(self, joined: Sequence[tuple[CompletionJob, bool]], *, cancel_paid: bool = False) -> None:
        for job, _ in joined:
            self._flights.leave(job, cancel_paid=cancel_paid)
            if job.is_abandoned and job.task.done():
                self._memory.forget(job)

    async def _run(self, job: CompletionJob) -> Completion:
        """Return the job's completion; its answer counts as held until no caller needs it.

        A request that its endpoint refuses goes on as another one, with another key.
        """
        try:
            key = job.key
            while (completion := await self._find_or_ask(job)) is None:
                self._memory.forget(job)
                running = self._flights.move(job, key)
                if running is not job:
                    completion = _unpaid(await self._flights.follow(running))
                    break
                key = job.key
        except BaseException:
            self._memory.forget(job)
            raise
        if job.is_abandoned:
            self._memory.forget(job)
        return completion

    async def _find_or_ask(self, job: CompletionJob) -> Completion | None:
        """Find the job's completion in the store, or ask the model and store its answer; None if it was adjusted."""
        metrics = job.channel.metrics
        found = await job.find()
        if found is not None:
            self._remember(job)
            metrics.found.inc()
            self._memory.hold(job, found)
            return _unpaid(found)
        if not self._memory.admit_at_once(job):
            await self._memory.admit(job)
        try:
            completion = await self._model_client.ask(job)
            if completion is None:
                return None
            self._memory.hold(job, completion)
            if completion.finish_reason == FINISH_REASON_ERROR:
                return completion
            self._remember(job)
            if not job.is_paid:  # another replica stored the answer while the job waited here
                metrics.found.inc()
                return _unpaid(completion)
            stored = await self._writer.write(completion, job.request.messages)
            stored.attempts = completion.attempts
            return stored
        finally:
            job.is_paid = False
            job.channel.gate.leave(job)

    def _remember(self, job: CompletionJob) -> None:
        """Remember what the endpoint refused, now that there is an answer without it."""
        model = job.request.model
        learned = job.adjuster.confirm()
        for adjustment in learned:
            job.channel.metrics.record_adjustment(adjustment.parameter)
            log.warning(
                "requests to a model are adjusted from now on: its endpoint refuses a parameter",
                action=Action.ADJUSTMENT_LEARNED,
                model=model.name,
                parameter=adjustment.parameter,
                replacement=adjustment.replacement,
                reason=adjustment.words,
            )
        if learned:
            self._adjustments.save(model)


async def _find_nothing(_: Sequence[str]) -> dict[str, Completion]:
    return {}


async def _wait_for_paid(jobs: Sequence[CompletionJob]) -> None:
    """Wait for the jobs that must not be cancelled."""
    tasks = [job.task for job in jobs if job.is_paid]
    if tasks:
        await asyncio.wait(tasks)


def _unpaid(completion: Completion) -> Completion:
    """Return a copy for a request that sent nothing itself: its answer was found, or another request shares it."""
    copy = Completion()
    copy.CopyFrom(completion)
    if copy.finish_reason != FINISH_REASON_ERROR:
        copy.attempts = 0
    return copy
