"""The limit on the bytes of answers in memory: requests wait, the oldest batch ends, and nothing waits for ever."""

from __future__ import annotations

import asyncio
import random

import pytest
from prometheus_client import CollectorRegistry

from libra.gateway.completion.answer_memory import MAX_ANSWER_BYTES, AnswerMemory
from libra.gateway.completion.job import CompletionJob
from libra.gateway.completion.lookup import Lookup
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.request import CompletionRequest
from libra.telemetry.metrics import Metrics
from libra.v1.completion_pb2 import Completion, GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model

KIB = 1024


async def nothing(_: object) -> dict[str, Completion]:
    return {}


def channel(name: str = "m") -> ModelChannel:
    return ModelChannel(Model(name=name), Metrics(CollectorRegistry()))


def job(to: ModelChannel, lane: Lane = Lane.BATCH, max_tokens: int = 100_000) -> CompletionJob:
    request = CompletionRequest(to.model, GenerationParameters(max_tokens=max_tokens), (Message(role="user"),))
    return CompletionJob("key", request, to, lane, Lookup(nothing))


def answer(size_bytes: int) -> Completion:
    return Completion(text="x" * size_bytes)


async def is_admitted(memory: AnswerMemory, one: CompletionJob) -> bool:
    """Return whether the job may begin at once; it stays in the queue otherwise."""
    task = asyncio.create_task(memory.admit(one))
    await asyncio.sleep(0)
    return task.done()


async def test_a_request_begins_if_its_answer_fits() -> None:
    memory, model = AnswerMemory(4 * MAX_ANSWER_BYTES), channel()
    jobs = [job(model) for _ in range(5)]
    assert [await is_admitted(memory, one) for one in jobs] == [True] * 4 + [False]
    memory.hold(jobs[0], answer(10))
    await asyncio.sleep(0)
    assert jobs[4].is_awaited
    assert memory.held_bytes == 10 + 3 * MAX_ANSWER_BYTES + jobs[4].held_bytes


async def test_an_answer_is_expected_to_be_as_long_as_the_limit_on_tokens_or_as_recent_answers() -> None:
    memory, model = AnswerMemory(), channel()
    first = job(model, max_tokens=512)
    assert await is_admitted(memory, first)
    assert memory.held_bytes == 16 * 512
    memory.hold(first, answer(2 * KIB))
    second = job(model)
    assert await is_admitted(memory, second)
    assert second.held_bytes == 4 * KIB


async def test_one_request_of_each_model_begins_however_full_the_memory_is() -> None:
    memory, one, two = AnswerMemory(KIB), channel("one"), channel("two")
    jobs = [job(one), job(one), job(two), job(two)]
    assert [await is_admitted(memory, each) for each in jobs] == [True, False, True, False]
    memory.hold(jobs[0], answer(50 * KIB))
    await asyncio.sleep(0)
    assert [each.is_awaited for each in jobs] == [False, True, True, False]
    assert memory.is_full()


async def test_no_request_begins_while_messages_fill_the_memory() -> None:
    memory, model = AnswerMemory(KIB), channel()
    memory.add(2 * KIB)
    one = job(model)
    assert not await is_admitted(memory, one)
    memory.remove(2 * KIB)
    await asyncio.sleep(0)
    assert one.is_awaited


async def test_a_caller_that_waits_is_not_held_back() -> None:
    memory, model = AnswerMemory(KIB), channel()
    assert await is_admitted(memory, job(model))
    assert not await is_admitted(memory, job(model))
    assert await is_admitted(memory, job(model, Lane.INTERACTIVE))


async def test_a_cancelled_request_leaves_nothing_behind() -> None:
    memory, model = AnswerMemory(KIB), channel()
    begun, waiting = job(model), job(model)
    assert await is_admitted(memory, begun)
    task = asyncio.create_task(memory.admit(waiting))
    await asyncio.sleep(0)
    memory.forget(begun)  # admits the waiting one, which is cancelled before it runs
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert memory.held_bytes == 0
    assert await is_admitted(memory, job(model))


@pytest.mark.parametrize("seed", range(20))
async def test_batches_of_long_answers_all_end_within_the_limit_and_one_batch(seed: int) -> None:
    rng, limit, largest = random.Random(seed), 2 * MAX_ANSWER_BYTES, 0
    memory, models = AnswerMemory(limit), [channel("one"), channel("two")]
    in_flight = asyncio.Semaphore(16)

    async def complete(one: CompletionJob) -> None:
        nonlocal largest
        await memory.admit(one)
        async with in_flight:
            await asyncio.sleep(rng.random() / 1000)
            memory.hold(one, answer(rng.randint(1, MAX_ANSWER_BYTES)))
        largest = max(largest, memory.held_bytes)

    async def batch(model: ModelChannel, size: int) -> None:
        jobs = [job(model) for _ in range(size)]
        try:
            async with asyncio.timeout(30):
                await asyncio.gather(*map(complete, jobs))
        finally:
            for one in jobs:
                memory.forget(one)

    size = 8
    await asyncio.gather(*(batch(rng.choice(models), size) for _ in range(20)))
    assert memory.held_bytes == 0
    assert largest <= limit + (len(models) * size) * MAX_ANSWER_BYTES
