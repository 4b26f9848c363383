"""The scores of a model in each of its newest runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libra.v1.ranking_pb2 import BoardRow, GetBoardRequest, ReportAttacksRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import ListRunsRequest, Run, RunState
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.web.backend import Backend
from libra.web.unavailable import Part

RUNS_SEARCHED = 200
RUNS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class PastRun:
    """A model in one run."""

    run: Run
    row: BoardRow | None
    """Its scores; None if they could not be loaded."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a model's trials of one run, without that of judges."""

    trials: int
    usd: float
    is_lower_limit: bool
    """True if some prices or token counts are unknown."""

    prompt_tokens: int
    completion_tokens: int
    mean_seconds: float


async def load_history(backend: Backend, model: str) -> Part[list[PastRun]]:
    """Return the newest finished runs with this model, the newest first."""
    part = await backend.attempt(RunServiceStub, "ListRuns", ListRunsRequest(page_size=RUNS_SEARCHED))
    if part.value is None:
        return Part(absence=part.absence)
    runs = [run for run in part.value.runs if model in run.spec.models and run.state == RunState.RUN_STATE_FINISHED]
    chosen = runs[:RUNS_SHOWN]
    rows = await asyncio.gather(*(_load_row(backend, run.id, model) for run in chosen))
    return Part([PastRun(run, row) for run, row in zip(chosen, rows, strict=True)])


async def load_cost(backend: Backend, run: str, model: str) -> Part[Cost]:
    """Return what the model's trials of a run took."""
    part = await backend.attempt(RankingServiceStub, "ReportAttacks", ReportAttacksRequest(run=run))
    if part.value is None:
        return Part(absence=part.absence)
    return Part(sum_costs([each for each in part.value.reports if each.model == model]))


def sum_costs(reports: Sequence[Any]) -> Cost:
    """Return the sums over the attacks of a report."""
    trials = sum(each.trials for each in reports)
    return Cost(
        trials=trials,
        usd=sum(each.cost_usd for each in reports),
        is_lower_limit=any(each.unknown_usage or each.unknown_price for each in reports),
        prompt_tokens=sum(each.prompt_tokens for each in reports),
        completion_tokens=sum(each.completion_tokens for each in reports),
        mean_seconds=sum(each.seconds for each in reports) / trials if trials else 0.0,
    )


async def _load_row(backend: Backend, run: str, model: str) -> BoardRow | None:
    part = await backend.attempt(RankingServiceStub, "GetBoard", GetBoardRequest(runs=[run], models=[model]))
    rows = part.value.board.rows if part.value else ()
    return next((row for row in rows if row.model == model), None)
