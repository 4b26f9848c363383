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

    def move(self, job: CompletionJob, key_before: str) -> CompletionJob:
        """Enter a running job under its new key; return the job that runs under it already, else this job.

        If it is another one, this job has to wait for it, and no caller can join this job any more. So no two jobs wait
        for each other.
        """
        if self._jobs.get(key_before) is job:
            del self._jobs[key_before]
        running = self._jobs.get(job.key)
        if running is None or running.task.done():
            running = self._jobs[job.key] = job
        return running

    async def follow(self, running: CompletionJob) -> Completion:
        """Return the completion of another job."""
        running.waiters += 1
        try:
            # Not the task itself: a job that is cancelled must not cancel another one.
            await asyncio.wait({running.task})
        finally:
            self.leave(running)
        return running.task.result()

    def leave(self, job: CompletionJob, *, cancel_paid: bool = False) -> None:
        """Stop waiting for a job; with `cancel_paid`, even its request in flight is not worth waiting for."""
        job.waiters -= 1
        if job.waiters or job.task.done():
            return
        is_needed = job.is_paid and not (cancel_paid and not job.has_answer)
        if not is_needed:
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
