"""Equal requests at the same time share one job."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from libra.gateway.completion.job import CompletionJob
from libra.gateway.completion.lookup import Lookup
from libra.gateway.completion.single_flight import SingleFlight
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.request import CompletionRequest
from libra.telemetry.metrics import Metrics
from libra.v1.completion_pb2 import Completion, GenerationParameters
from libra.v1.model_pb2 import Model

MODEL = Model(name="m")


async def find_nothing(keys: object) -> dict[str, Completion]:
    return {}


def new_job(key: str) -> CompletionJob:
    request = CompletionRequest(MODEL, GenerationParameters(), ())
    channel = ModelChannel(MODEL, Metrics(CollectorRegistry()))
    return CompletionJob(key, request, channel, Lane.BATCH, Lookup(find_nothing))


class World:
    """Runs jobs that end when `go` is set, and counts them."""

    def __init__(self, *, are_paid: bool = False) -> None:
        self.flights = SingleFlight(self.run)
        self.are_paid = are_paid
        self.begun = self.ended = 0
        self.go = asyncio.Event()

    async def run(self, job: CompletionJob) -> Completion:
        self.begun += 1
        job.is_paid = self.are_paid
        await self.go.wait()
        self.ended += 1
        return Completion(text=f"answer {self.begun}")

    async def call(self, key: str = "key") -> str:
        job, _ = self.flights.join(new_job(key))
        try:
            return (await asyncio.shield(job.task)).text
        finally:
            self.flights.leave(job)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await settle()


async def test_equal_requests_at_the_same_time_share_one_job() -> None:
    world = World()
    callers = [asyncio.create_task(world.call()) for _ in range(5)]
    other = asyncio.create_task(world.call("other"))
    await settle()
    world.go.set()
    assert len({await caller for caller in callers}) == 1
    await other
    assert world.begun == 2


async def test_a_caller_that_leaves_does_not_affect_the_others() -> None:
    world = World()
    first, second = (asyncio.create_task(world.call()) for _ in range(2))
    await settle()
    await cancel(first)
    world.go.set()
    assert await second == "answer 1"


async def test_a_job_without_callers_is_cancelled() -> None:
    world = World()
    await cancel(*(asyncio.create_task(world.call()) for _ in range(2)))
    callers = [asyncio.create_task(world.call()) for _ in range(2)]
    await settle()
    await cancel(*callers)
    world.go.set()
    await settle()
    assert (world.begun, world.ended) == (1, 0)
    assert await world.call() == "answer 2"


async def test_a_paid_job_ends_for_the_next_caller() -> None:
    world = World(are_paid=True)
    caller = asyncio.create_task(world.call())
    await settle()
    await cancel(caller)
    assert len(world.flights.paid_tasks()) == 1
    next_caller = asyncio.create_task(world.call())
    await settle()
    world.go.set()
    assert await next_caller == "answer 1"


async def test_all_callers_get_an_error_and_it_is_not_kept() -> None:
    async def fail(_: CompletionJob) -> Completion:
        await asyncio.sleep(0)
        raise ValueError("broken")

    flights = SingleFlight(fail)
    joined = [flights.join(new_job("key"))[0] for _ in range(2)]
    for job in joined:
        with pytest.raises(ValueError, match="broken"):
            await asyncio.shield(job.task)
        flights.leave(job)
    job, is_first = flights.join(new_job("key"))
    assert is_first
    flights.leave(job)
    await settle()
