"""Single flight: equal requests at the same time share one job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial

from libra.gateway.completion.job import CompletionJob
from libra.v1.completion_pb2 import Completion


class SingleFlight:
    """Running jobs by key. A job for which no caller waits any more is cancelled, unless it is paid."""

    def __init__(self, run: Callable[[CompletionJob], Coroutine[None, None, Completion]]) -> None:
        """`run` takes a job to its completion."""
        self._run = run
        self._jobs: dict[str, CompletionJob] = {}
        # Looked up once: each look-up reads the process id, which is a system call.
        self._loop = asyncio.get_running_loop()

    def join(self, job: CompletionJob) -> tuple[CompletionJob, bool]:
        """Return the running job with the same key and False, or start this job and return it and True.

        The caller must call `leave` exactly once.
        """
        running = self._jobs.get(job.key)
        is_first = running is None or running.task.done()
        if running is None or is_first:
            running = self._jobs[job.key] = job
            job.task = self._loop.create_task(self._run(job))
            job.task.add_done_callback(partial(self._forget, job))
        running.waiters += 1
        return running, is_first

    def leave(self, job: CompletionJob) -> None:
        """Stop waiting for a job."""
        job.waiters -= 1
        if job.is_abandoned and not job.is_paid and not job.task.done():
            # Forgotten at once: a caller that comes before the cancelled task ends must not join it.
            self._forget(job)
            job.task.cancel()

    def paid_tasks(self) -> list[asyncio.Task[Completion]]:
        """Return the tasks of jobs that must not be cancelled."""
        return [job.task for job in self._jobs.values() if job.is_paid]

    def _forget(self, job: CompletionJob, _: object = None) -> None:
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]
        if job.task.done() and not job.task.cancelled():
            job.task.exception()  # marks the error as retrieved: callers that wait have it already
