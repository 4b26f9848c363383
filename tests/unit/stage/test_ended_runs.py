from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from libra.core.errors import NotFound, Unavailable
from libra.gateway.model_cache import ModelCache
from libra.stage.ended_runs import EndedRuns
from libra.testing.virtual_time import simulate
from libra.v1.batch_pb2 import BatchHeader
from libra.v1.model_pb2 import Model
from libra.v1.run_pb2 import RunState


@dataclass
class RunStates:
    """The states of runs in memory, and the number of reads."""

    states: dict[str, RunState.ValueType] = field(default_factory=dict)
    down: bool = False
    reads: int = 0

    async def state(self, run: str) -> RunState.ValueType | None:
        self.reads += 1
        await asyncio.sleep(0)
        if self.down:
            raise Unavailable("the store is down")
        return self.states.get(run)


async def test_the_state_of_a_run_is_cached_and_that_of_an_ended_run_forever() -> None:
    store = RunStates({"a": RunState.RUN_STATE_RUNNING, "b": RunState.RUN_STATE_CANCELLED})
    ended = EndedRuns(store.state, seconds=1000)
    assert [await ended.has_ended("a") for _ in range(3)] == [False] * 3
    assert [await ended.has_ended("b") for _ in range(3)] == [True] * 3
    assert store.reads == 2
    uncached = EndedRuns(store.state, seconds=0)
    assert not await uncached.has_ended("a")
    store.states["a"] = RunState.RUN_STATE_FINISHED
    assert await uncached.has_ended("a")


async def test_an_unknown_run_has_not_ended() -> None:
    assert not await EndedRuns(RunStates().state, seconds=1000).has_ended("a")


async def test_an_outage_is_raised_and_not_cached() -> None:
    store = RunStates({"a": RunState.RUN_STATE_CANCELLED}, down=True)
    ended = EndedRuns(store.state, seconds=1000)
    with pytest.raises(Unavailable):
        await ended.has_ended("a")
    store.down = False
    assert await ended.has_ended("a")


def test_work_is_cancelled_when_its_run_ends_and_continues_during_an_outage() -> None:
    store = RunStates({"a": RunState.RUN_STATE_RUNNING})
    ended = EndedRuns(store.state, seconds=0.0001)

    async def work(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "done"

    async def scenario() -> None:
        assert await ended.unless_ended(BatchHeader(run="a"), lambda: work(0.0)) == "done"
        store.down = False
        task = asyncio.create_task(ended.unless_ended(BatchHeader(run="a"), lambda: work(0.01)))
        await asyncio.sleep(0.001)
        store.down = True
        assert await task == "done"
        store.down = False
        task = asyncio.create_task(ended.unless_ended(BatchHeader(run="a"), lambda: work(10)))
        await asyncio.sleep(0.001)
        store.states["a"] = RunState.RUN_STATE_CANCELLED
        assert await task is None
        assert await ended.unless_ended(BatchHeader(run="a"), lambda: work(0.0)) is None

    simulate(scenario())


async def test_a_new_model_is_found_immediately() -> None:
    models = [Model(name="alpha")]

    async def registry() -> list[Model]:
        return list(models)

    cache = ModelCache(registry, seconds=1000)
    assert await cache.find("alpha") == models[0]
    models.append(Model(name="beta"))
    assert await cache.get("beta", field="model") == models[1]
    with pytest.raises(NotFound, match="did you mean alpha"):
        await cache.get("alpah", field="model")


async def test_a_finished_run_may_run_again_and_a_cancelled_one_may_not() -> None:
    store = RunStates({"a": RunState.RUN_STATE_FINISHED, "b": RunState.RUN_STATE_CANCELLED})
    ended = EndedRuns(store.state, seconds=0)
    assert await ended.has_ended("a")
    assert await ended.has_ended("b")
    store.states = dict.fromkeys("ab", RunState.RUN_STATE_RUNNING)
    assert not await ended.has_ended("a")
    assert await ended.has_ended("b")


@pytest.mark.parametrize("state", [RunState.RUN_STATE_PAUSED, RunState.RUN_STATE_BUDGET_EXHAUSTED])
async def test_a_stopped_run_has_not_ended(state: RunState.ValueType) -> None:
    ended = EndedRuns(RunStates({"a": state}).state, seconds=0)

    async def work() -> str:
        return "done"

    assert await ended.unless_ended(BatchHeader(run="a"), work) == "done"


async def test_work_that_the_budget_does_not_cover_is_dropped_once_the_run_has_stopped() -> None:
    store = RunStates({"a": RunState.RUN_STATE_RUNNING})
    ended = EndedRuns(store.state, seconds=0)

    async def work() -> str:
        raise Unavailable("the budget of the run is used up")

    with pytest.raises(Unavailable):
        await ended.unless_ended(BatchHeader(run="a"), work)
    store.states["a"] = RunState.RUN_STATE_BUDGET_EXHAUSTED
    assert await ended.unless_ended(BatchHeader(run="a"), work) is None
