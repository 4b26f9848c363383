"""Completes requests with an answer from the store, from an equal request in flight, or from the model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from libra.gateway.completion.job import CompletionJob
from libra.gateway.completion.key import completion_id
from libra.gateway.completion.lookup import Lookup
from libra.gateway.completion.model_client import ModelClient
from libra.gateway.completion.single_flight import SingleFlight
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_channel import ModelChannels
from libra.gateway.provider.request import CompletionRequest
from libra.store.completions import CompletionCollection
from libra.v1.completion_pb2 import FINISH_REASON_ERROR, Completion

OnAnswer = Callable[[asyncio.Task[Completion]], None]


class Completer:
    """Asks for no answer twice within this process, as long as the store keeps what was written."""

    def __init__(
        self, store: CompletionCollection, model_client: ModelClient, writer: CompletionWriter, channels: ModelChannels
    ) -> None:
        self._store, self._model_client, self._writer, self._channels = store, model_client, writer, channels
        self._flights = SingleFlight(self._run)

    async def complete(
        self, requests: Sequence[CompletionRequest], lane: Lane, *, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        """Return the completion of each request, in order; `on_answer` is called with the task of each as it ends.

        A request without an answer has FINISH_REASON_ERROR. Raises Unavailable if the store cannot be reached or this
        replica is about to stop. Requests in flight are then answered and stored first, so that they are found the next
        time.
        """
        if not requests:
            return []
        lookup = Lookup(self._store.get_many)
        joined = [self._join(request, lane, lookup) for request in requests]
        if on_answer:
            for job, _ in joined:
                job.task.add_done_callback(on_answer)
        try:
            # `asyncio.wait` does not cancel the tasks when this call is cancelled: others may share them.
            done, _ = await asyncio.wait({job.task for job, _ in joined}, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except BaseException as error:
            self._leave(joined)
            if not isinstance(error, asyncio.CancelledError):
                await _wait_for_paid([job for job, _ in joined])
            raise
        self._leave(joined)
        return [job.task.result() if is_first else _unpaid(job.task.result()) for job, is_first in joined]

    async def drain(self, seconds: float) -> None:
        """Wait up to `seconds` until requests in flight are answered and stored, then cancel the rest."""
        tasks = self._flights.paid_tasks()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _join(self, request: CompletionRequest, lane: Lane, lookup: Lookup) -> tuple[CompletionJob, bool]:
        """Return the job for a request, and whether it was started for this request."""
        channel = self._channels.get(request.model)
        job, is_first = self._flights.join(CompletionJob(completion_id(request), request, channel, lane, lookup))
        if is_first:
            lookup.add(job.key)  # the job's task begins only after all requests of the batch have joined
        return job, is_first

    def _leave(self, joined: Sequence[tuple[CompletionJob, bool]]) -> None:
        for job, _ in joined:
            self._flights.leave(job)

    async def _run(self, job: CompletionJob) -> Completion:
        """Find the job's completion in the store, or ask the model and store its answer."""
        metrics = job.channel.metrics
        found = await job.find()
        if found is not None:
            metrics.found.inc()
            return _unpaid(found)
        try:
            completion = await self._model_client.ask(job)
            if completion.finish_reason == FINISH_REASON_ERROR:
                return completion
            if not job.is_paid:  # another replica stored the answer while the job waited here
                metrics.found.inc()
                return _unpaid(completion)
            stored = await self._writer.write(completion, job.request.messages)
            stored.attempts = completion.attempts
            return stored
        finally:
            job.is_paid = False


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
