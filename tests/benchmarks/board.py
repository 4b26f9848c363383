"""GetBoard for 30 models x 57 tasks x 10 attacks, with 10 thousand verdicts and with 3 million.

A board is made of cells alone, so the cells are written and the verdicts are not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pymongo

from libra.local.system import System
from libra.rpc.client import call, channel
from libra.v1.ranking_pb2 import GetBoardRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import RunState
from libra.v1.task_pb2 import Category

MODELS, TASKS, ATTACKS = 30, 57, 10
PLACES = MODELS * TASKS * ATTACKS
FEW, MANY = 10_000, 3_000_000
RUN = "01K0000000000000000000000{}"
CATEGORIES = [number for number in Category.values() if number]
CALL_SECONDS = 60.0
CALLS = 300
WARM_UP = 10
CALLERS = 4


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one GetBoard after another, and how many a second several callers get."""

    p50_milliseconds: float
    p99_milliseconds: float
    per_second: float
    response_mib: float


async def latencies(folder: Any, mongo_url: str) -> dict[int, Latency]:
    """Return the latency by number of verdicts; the two are measured in turns, twice each."""
    with pymongo.MongoClient(mongo_url) as mongo:
        for verdicts in (FEW, MANY):
            write(mongo[f"board_{verdicts}"], verdicts)
    found: dict[int, list[Latency]] = {FEW: [], MANY: []}
    for verdicts in (FEW, MANY, MANY, FEW):
        system = System(folder, variables={"LIBRA_MONGO_DATABASE": f"board_{verdicts}"})
        system.kill("ranking")
        system.start_part("ranking")
        found[verdicts].append(await _latency(system.addresses["ranking"]))
    return {verdicts: min(each, key=lambda one: one.p99_milliseconds) for verdicts, each in found.items()}


def write(database: Any, verdicts: int) -> None:
    """Write one finished run with so many verdicts, spread over all places as evenly as they go."""
    database.cells.delete_many({})
    run = {"_id": RUN.format(0), "run": {"state": RunState.RUN_STATE_FINISHED, "revision": 2}}
    database.runs.replace_one({"_id": run["_id"]}, run, upsert=True)
    database.cells.insert_many(list(cells(verdicts)))


def cells(verdicts: int) -> Iterator[dict[str, Any]]:
    judges = [{"name": "refusal", "version": "1", "rubric_hash": "0123456789ab"}]
    for place in range(PLACES):
        model, task, attack = place // (TASKS * ATTACKS), place // ATTACKS % TASKS, place % ATTACKS
        key = {
            "run": RUN.format(0),
            "judging": 0,
            "model": f"model-{model:02d}",
            "task": f"task-{task:02d}@0123456789ab",
            "attack": "none" if attack == 0 else f"attack-{attack}",
        }
        n = verdicts * (place + 1) // PLACES - verdicts * place // PLACES
        passed = float(n * (model + task) // (MODELS + TASKS))
        sums = {"n": n, "sum": passed, "sum_squares": passed, "scored": n, "filtered": 0, "unjudged": 0, "failed": 0}
        name = "/".join(str(part) for part in key.values())
        category = CATEGORIES[task % len(CATEGORIES)] if attack == 0 else Category.CATEGORY_ADVERSARIAL
        yield {"_id": f"{name}/0", **key, **sums, "category": category, "judges": judges}


async def _latency(address: str) -> Latency:
    opened = channel(address)
    get = RankingServiceStub(opened).GetBoard
    request = GetBoardRequest()
    for _ in range(WARM_UP):
        board = await call(get, request, CALL_SECONDS)
    milliseconds = []
    for _ in range(CALLS):
        started = time.perf_counter()
        await call(get, request, CALL_SECONDS)
        milliseconds.append(1000 * (time.perf_counter() - started))

    async def caller() -> None:
        for _ in range(CALLS // CALLERS):
            await call(get, request, CALL_SECONDS)

    started = time.perf_counter()
    await asyncio.gather(*[caller() for _ in range(CALLERS)])
    seconds = time.perf_counter() - started
    await opened.close()
    ordered = sorted(milliseconds)
    return Latency(
        ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], CALLS / seconds, board.ByteSize() / 2**20
    )
