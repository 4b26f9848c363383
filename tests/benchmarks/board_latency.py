"""GetBoard for 30 models x 57 tasks x 10 attacks, with 10 thousand and with 3 million verdicts.

A board is computed from cells and from the sums of each sample, so these are written and no verdicts. The benchmark
measures the cached board, and separately the first call, which computes it.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pymongo

from libra.local.system import System
from libra.rpc.client import call, channel
from libra.v1.ranking_pb2 import GetBoardRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import RunState
from libra.v1.task_pb2 import Category

from .verdict_load import publishing

MODELS, TASKS, ATTACKS = 30, 57, 10
CELLS = MODELS * TASKS * ATTACKS
FEW, MANY = 10_000, 3_000_000
RUN = "01K0000000000000000000000{}"
CATEGORIES = [number for number in Category.values() if number]
CALL_SECONDS = 60.0
CALLS = 300
WARM_UP = 10
CALLERS = 4


@dataclass(frozen=True, slots=True)
class BoardLatency:
    """Latency of sequential GetBoard calls, and the rate of calls with several callers."""

    p50_milliseconds: float
    p99_milliseconds: float
    per_second: float
    response_mib: float
    first_seconds: float
    """Time of the first call, which loads, computes and caches the board."""

    written_p99_milliseconds: float
    """While ranking writes the verdicts of a run that has not finished."""

    next_seconds: float
    """Time of the first call after another run of one model, which computes only the row of that model."""


async def measure_latencies(folder: Any, mongo_url: str) -> dict[int, BoardLatency]:
    """Return the latency by number of verdicts; both are measured in turns, twice each, and the lower p99 counts."""
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as mongo:
        for verdicts in (FEW, MANY):
            write_cells(mongo[f"board_{verdicts}"], verdicts)
    found: dict[int, list[BoardLatency]] = {FEW: [], MANY: []}
    for verdicts in (FEW, MANY, MANY, FEW):
        system = System(folder, variables={"LIBRA_MONGO_DATABASE": f"board_{verdicts}"})
        system.kill("ranking")
        system.start_part("ranking")
        with pymongo.MongoClient[dict[str, Any]](mongo_url) as mongo:
            database = mongo[f"board_{verdicts}"]
            database.runs.delete_one({"_id": RUN.format(1)})
            found[verdicts].append(await _latency(system, database, verdicts))
    return {verdicts: min(runs, key=lambda latency: latency.p99_milliseconds) for verdicts, runs in found.items()}


def write_cells(database: Any, verdicts: int) -> None:
    """Write one finished run with this many verdicts, spread evenly over all cells."""
    database.cells.delete_many({})
    database.sample_sums.delete_many({})
    _write_run(database, RUN.format(0), list(cells(verdicts)))


def write_next_run(database: Any, verdicts: int) -> None:
    """Write another finished run of one of the models."""
    database.cells.delete_many({"run": RUN.format(1)})
    database.sample_sums.delete_many({"_id": {"$regex": f"^{RUN.format(1)}"}})
    earlier = RUN.format(0)
    found = [cell for cell in cells(verdicts) if cell["model"] == "model-07"]
    later = [{**cell, "run": RUN.format(1), "_id": cell["_id"].replace(earlier, RUN.format(1))} for cell in found]
    _write_run(database, RUN.format(1), later)


def _write_run(database: Any, run: str, documents: list[dict[str, Any]]) -> None:
    database.cells.insert_many(documents)
    database.sample_sums.insert_many(map(sample_sums_of, documents))
    record = {"_id": run, "run": {"state": RunState.RUN_STATE_FINISHED, "revision": 2}}
    database.runs.replace_one({"_id": run}, record, upsert=True)


def sample_sums_of(cell: dict[str, Any]) -> dict[str, Any]:
    """Return the sums by sample of a cell, as if each trial had its own sample and the first ones had passed."""
    ordinals = array("i", range(cell["n"]))
    passed = array("d", [1.0 if ordinal < cell["sum"] else 0.0 for ordinal in ordinals])
    document = {"n": cell["n"], "sum": cell["sum"], "ordinals": ordinals.tobytes(), "sums": passed.tobytes()}
    return {"_id": cell["_id"].removesuffix("0"), **document}


def cells(verdicts: int) -> Iterator[dict[str, Any]]:
    judges = [{"name": "refusal", "version": "1", "rubric_hash": "0123456789ab"}]
    for index in range(CELLS):
        model, task, attack = index // (TASKS * ATTACKS), index // ATTACKS % TASKS, index % ATTACKS
        key = {
            "run": RUN.format(0),
            "judging": 0,
            "model": f"model-{model:02d}",
            "task": f"task-{task:02d}@0123456789ab",
            "attack": "none" if attack == 0 else f"attack-{attack}",
        }
        n = verdicts * (index + 1) // CELLS - verdicts * index // CELLS
        passed = float(n * (model + task) // (MODELS + TASKS))
        cell_sums = {
            "n": n,
            "sum": passed,
            "sum_squares": passed,
            "scored": n,
            "filtered": 0,
            "unjudged": 0,
            "failed": 0,
        }
        name = "/".join(str(part) for part in key.values())
        category = CATEGORIES[task % len(CATEGORIES)] if attack == 0 else Category.CATEGORY_ADVERSARIAL
        yield {"_id": f"{name}/0", **key, **cell_sums, "category": category, "judges": judges}


async def _latency(system: System, database: Any, verdicts: int) -> BoardLatency:
    ranking = channel(system.addresses["ranking"])
    get = RankingServiceStub(ranking).GetBoard
    request = GetBoardRequest()
    started = time.perf_counter()
    await call(get, request, CALL_SECONDS)
    first_seconds = time.perf_counter() - started
    for _ in range(WARM_UP):
        board = await call(get, request, CALL_SECONDS)
    milliseconds = await _time_calls(lambda: call(get, request, CALL_SECONDS))
    run = {"_id": RUN.format(2), "run": {"state": RunState.RUN_STATE_RUNNING, "revision": 1}}
    database.runs.replace_one({"_id": RUN.format(2)}, run, upsert=True)
    async with publishing(system.nats_url, RUN.format(2)):
        written = await _time_calls(lambda: call(get, request, CALL_SECONDS))
    stored = database.verdicts.estimated_document_count()
    if not stored:
        raise RuntimeError("ranking wrote no verdicts during the measurement; see its log")
    database.verdicts.delete_many({})
    database.cells.delete_many({"run": RUN.format(2)})

    async def run_caller() -> None:
        for _ in range(CALLS // CALLERS):
            await call(get, request, CALL_SECONDS)

    started = time.perf_counter()
    await asyncio.gather(*[run_caller() for _ in range(CALLERS)])
    seconds = time.perf_counter() - started
    write_next_run(database, verdicts)
    started = time.perf_counter()
    await call(get, request, CALL_SECONDS)
    next_seconds = time.perf_counter() - started
    await ranking.close()
    ordered, ordered_written = sorted(milliseconds), sorted(written)
    return BoardLatency(
        p50_milliseconds=ordered[len(ordered) // 2],
        p99_milliseconds=ordered[len(ordered) * 99 // 100],
        per_second=CALLS / seconds,
        response_mib=board.ByteSize() / 2**20,
        first_seconds=first_seconds,
        next_seconds=next_seconds,
        written_p99_milliseconds=ordered_written[len(ordered_written) * 99 // 100],
    )


async def _time_calls(make_call: Callable[[], Awaitable[Any]]) -> list[float]:
    """Return the milliseconds of sequential calls."""
    milliseconds = []
    for _ in range(CALLS):
        started = time.perf_counter()
        await make_call()
        milliseconds.append(1000 * (time.perf_counter() - started))
    return milliseconds
