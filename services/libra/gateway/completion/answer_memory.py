"""Limits the bytes of the answers in memory: requests wait while too many answers wait for the store or their batch."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass

from libra.gateway.completion.job import CompletionJob
from libra.gateway.limits.admission_queue import Lane
from libra.v1.completion_pb2 import Completion

MAX_ANSWER_BYTES = 1024 * 1024
"""A longer answer is refused."""

BYTES_PER_TOKEN = 16
"""More than any tokenizer has on average: an answer of max_tokens is not longer."""

MIN_EXPECTED_BYTES = 1024
EXPECTED_FACTOR = 2
"""An answer is expected to have at most this many times the bytes of the longest recent one of its model."""

DECAY = 0.99
"""The longest recent answer counts this much less with each answer after it."""

DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    job: CompletionJob
    admitted: asyncio.Future[None]


class AnswerMemory:
    """Counts the bytes of answers, from before the request until no batch needs them, and of messages on their way.

    A request of a batch begins if its answer is expected to fit, or if no other answer of its model is awaited and no
    message is on its way: so the oldest batch always ends and makes room, and no batch waits for ever. A caller that
    waits for an answer is not held back, since a judge that waits for it may be what empties the queue. A provider that
    ignores max_tokens can exceed the limit once, by the requests in flight: later answers are expected to be as long.
    """

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self.held_bytes = 0
        self._message_bytes = 0
        """The part of `held_bytes` that the queue is about to take."""

        self._awaited: Counter[str] = Counter()
        """Admitted requests without an answer, by model."""

        self._longest: dict[str, float] = {}
        self._waiters: deque[_Waiter] = deque()

    def is_full(self) -> bool:
        """Whether no further batch should be taken."""
        return self.held_bytes >= self._limit_bytes

    def admit_at_once(self, job: CompletionJob) -> bool:
        """Admit the job and return True if it need not wait."""
        expected = self._expect(job)
        if job.lane is not Lane.INTERACTIVE and (self._waiters or not self._fits(job, expected)):
            return False
        self._reserve(job, expected)
        return True

    async def admit(self, job: CompletionJob) -> None:
        """Return when the job may make its request; its answer is counted as long as it is expected to be."""
        if self.admit_at_once(job):
            return
        waiter = _Waiter(job, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        self._admit_waiters()
        try:
            await waiter.admitted
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            else:  # it was admitted at the same moment
                self.forget(job)
            raise

    def hold(self, job: CompletionJob, completion: Completion) -> None:
        """Count the bytes of the answer that the job has."""
        name, size_bytes = job.channel.name, len(completion.text)
        self._longest[name] = max(size_bytes, self._longest.get(name, 0) * DECAY)
        self._end_wait(job)
        self._change(size_bytes - job.held_bytes)
        job.held_bytes = size_bytes

    def forget(self, job: CompletionJob) -> None:
        """Stop counting the answer of a job; a repeat changes nothing."""
        self._end_wait(job)
        if job.held_bytes:
            self._change(-job.held_bytes)
            job.held_bytes = 0

    def add(self, size_bytes: int) -> None:
        """Count the bytes of a message that is to be published."""
        self._message_bytes += size_bytes
        self._change(size_bytes)

    def remove(self, size_bytes: int) -> None:
        """Stop counting the bytes of a message."""
        self._message_bytes -= size_bytes
        self._change(-size_bytes)

    def _expect(self, job: CompletionJob) -> int:
        most = min(MAX_ANSWER_BYTES, BYTES_PER_TOKEN * job.request.max_tokens)
        longest = self._longest.get(job.channel.name)
        return most if longest is None else max(MIN_EXPECTED_BYTES, min(most, int(EXPECTED_FACTOR * longest)))

    def _fits(self, job: CompletionJob, expected: int) -> bool:
        if self.held_bytes + expected <= self._limit_bytes:
            return True
        # Messages make room by themselves. Without any, only an answer can complete a batch.
        return not self._message_bytes and not self._awaited[job.channel.name]

    def _reserve(self, job: CompletionJob, expected: int) -> None:
        job.held_bytes, job.is_awaited = expected, True
        self._awaited[job.channel.name] += 1
        self.held_bytes += job.held_bytes

    def _end_wait(self, job: CompletionJob) -> None:
        if job.is_awaited:
            job.is_awaited = False
            self._awaited[job.channel.name] -= 1

    def _change(self, bytes_more: int) -> None:
        self.held_bytes += bytes_more
        if self._waiters:
            self._admit_waiters()

    def _admit_waiters(self) -> None:
        """Admit waiting requests in order of arrival; one that does not fit holds back the later ones of its model."""
        held_back: set[str] = set()
        remaining: deque[_Waiter] = deque()
        for waiter in self._waiters:
            name = waiter.job.channel.name
            if waiter.admitted.done():
                continue
            expected = self._expect(waiter.job)
            if name not in held_back and self._fits(waiter.job, expected):
                self._reserve(waiter.job, expected)
                waiter.admitted.set_result(None)
            else:
                held_back.add(name)
                remaining.append(waiter)
        self._waiters = remaining
