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
class Ledger:
    """The states of some runs, and how often they were looked at."""

    states: dict[str, RunState.ValueType] = field(default_factory=dict)
    away: bool = False
    looks: int = 0

    async def state(self, run: str) -> RunState.ValueType | None:
        self.looks += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("the ledger is away")
        return self.states.get(run)


async def test_a_run_is_looked_at_once_in_a_while_and_once_it_has_ended_never_again() -> None:
    ledger = Ledger({"a": RunState.RUN_STATE_RUNNING, "b": RunState.RUN_STATE_CANCELLED})
    ended = EndedRuns(ledger.state, seconds=1000)
    assert [await ended.has_ended("a") for _ in range(3)] == [False] * 3
    assert [await ended.has_ended("b") for _ in range(3)] == [True] * 3
    assert ledger.looks == 2
    impatient = EndedRuns(ledger.state, seconds=0)
    assert not await impatient.has_ended("a")
    ledger.states["a"] = RunState.RUN_STATE_FINISHED
    assert await impatient.has_ended("a")


async def test_a_run_that_nobody_knows_has_not_ended() -> None:
    assert not await EndedRuns(Ledger().state, seconds=1000).has_ended("a")


async def test_an_outage_is_told_and_not_remembered() -> None:
    ledger = Ledger({"a": RunState.RUN_STATE_CANCELLED}, away=True)
    ended = EndedRuns(ledger.state, seconds=1000)
    with pytest.raises(Unavailable):
        await ended.has_ended("a")
    ledger.away = False
    assert await ended.has_ended("a")


def test_work_is_called_off_when_its_run_ends_and_goes_on_through_an_outage() -> None:
    ledger = Ledger({"a": RunState.RUN_STATE_RUNNING})
    ended = EndedRuns(ledger.state, seconds=0.0001)

    async def work(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "done"

    async def world() -> None:
        assert await ended.unless_ended(BatchHeader(run="a"), lambda: work(0.0)) == "done"
        ledger.away = False
        working = asyncio.create_task(ended.unless_ended(BatchHeader(run="a"), lambda: work(0.01)))
        await asyncio.sleep(0.001)
        ledger.away = True
        assert await working == "done"
        ledger.away = False
        working = asyncio.create_task(ended.unless_ended(BatchHeader(run="a"), lambda: work(10)))
        await asyncio.sleep(0.001)
        ledger.states["a"] = RunState.RUN_STATE_CANCELLED
        assert await working is None
        assert await ended.unless_ended(BatchHeader(run="a"), lambda: work(0.0)) is None

    simulate(world())


async def test_a_model_that_is_new_is_found_at_once() -> None:
    models = [Model(name="alpha")]

    async def registry() -> list[Model]:
        return list(models)

    entries = ModelCache(registry, seconds=1000)
    assert await entries.find("alpha") == models[0]
    models.append(Model(name="beta"))
    assert await entries.get("beta", field="model") == models[1]
    with pytest.raises(NotFound, match="did you mean alpha"):
        await entries.get("alpah", field="model")
