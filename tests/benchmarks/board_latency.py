"""GetBoard for 30 models x 57 tasks x 10 attacks, with 10 thousand verdicts and with 3 million.

A board is made of cells and of what each sample adds up to, so these are written and the verdicts are not. What is timed is
the answer that is kept; how long the first one takes, which is made anew, is told beside it.
"""

from __future__ import annotations

import asyncio
import time
from array import array
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
    anew_seconds: float
    """The first answer: read, reckoned and kept."""


async def latencies(folder: Any, mongo_url: str) -> dict[int, Latency]:
    """Return the latency by number of verdicts; the two are measured in turns, twice each."""
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as mongo:
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
    database.sample_sums.delete_many({})
    run = {"_id": RUN.format(0), "run": {"state": RunState.RUN_STATE_FINISHED, "revision": 2}}
    database.runs.replace_one({"_id": run["_id"]}, run, upsert=True)
    written = list(cells(verdicts))
    database.cells.insert_many(written)
    database.sample_sums.insert_many(map(sums, written))


def sums(cell: dict[str, Any]) -> dict[str, Any]:
    """Take a cell apart, as if each of its trials were of a sample of its own and the first had passed."""
    ordinals = array("i", range(cell["n"]))
    passed = array("d", [1.0 if ordinal < cell["sum"] else 0.0 for ordinal in ordinals])
    kept = {"n": cell["n"], "sum": cell["sum"], "ordinals": ordinals.tobytes(), "sums": passed.tobytes()}
    return {"_id": cell["_id"].removesuffix("0"), **kept}


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
    started = time.perf_counter()
    await call(get, request, CALL_SECONDS)
    anew = time.perf_counter() - started
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
        p50_milliseconds=ordered[len(ordered) // 2],
        p99_milliseconds=ordered[len(ordered) * 99 // 100],
        per_second=CALLS / seconds,
        response_mib=board.ByteSize() / 2**20,
        anew_seconds=anew,
    )
