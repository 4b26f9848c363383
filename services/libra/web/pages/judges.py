"""The judges: how well they agree with people and with each other, and which judge judged what."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiohttp import web

from libra.core.attack_names import task_label
from libra.v1.calibration_pb2 import Calibration
from libra.v1.judge_pb2 import ListCalibrationsRequest, ListJudgesRequest
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.ranking_pb2 import Board, GetAgreementRequest, GetBoardRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.web.keys import BACKEND
from libra.web.query import Query
from libra.web.renderer import render
from libra.web.unavailable import Part

ROUTES = web.RouteTableDef()


@dataclass(slots=True)
class JudgedTasks:
    """The tasks and models that one version of a judge judged on the board."""

    name: str
    version: str
    rubric_hash: str
    tasks: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    verdicts: int = 0
    calibration: Calibration | None = None
    """The newest one of this very version and rubric."""


@ROUTES.get("/judges")
async def show(request: web.Request) -> web.Response:
    """Show the judges of all finished runs, or of one run."""
    query, backend = Query.of(request), request.app[BACKEND]
    run = query.text("run")
    query.finish()
    board_call = GetBoardRequest(runs=[run] if run else [])
    judges, calibrations, board, agreement = await asyncio.gather(
        backend.attempt(JudgeServiceStub, "ListJudges", ListJudgesRequest()),
        backend.attempt(JudgeServiceStub, "ListCalibrations", ListCalibrationsRequest()),
        backend.attempt(RankingServiceStub, "GetBoard", board_call),
        backend.attempt(RankingServiceStub, "GetAgreement", GetAgreementRequest(run=run)) if run else _nothing(),
    )
    known = calibrations.value.calibrations if calibrations.value else []
    values = {
        "run": run,
        "judges": judges,
        "calibrations": calibrations,
        "board": board,
        "agreement": agreement,
        "judged": list_judged(board.value.board, known) if board.value else [],
    }
    return render(request, "runs/judges.html", values)


async def _nothing() -> Part[None]:
    return Part()


def list_judged(board: Board, calibrations: Iterable[Calibration]) -> list[JudgedTasks]:
    """Return which version of which judge judged which tasks, by name."""
    found: dict[tuple[str, str, str], JudgedTasks] = {}
    for row in board.rows:
        for score in (score for category in row.categories for score in category.tasks):
            key = score.judge.name, score.judge.version, score.judge.rubric_hash
            entry = found.setdefault(key, JudgedTasks(*key))
            entry.tasks.add(task_label(score.task, score.attack))
            entry.models.add(row.model)
            entry.verdicts += score.counts.scored + score.counts.unjudged + score.counts.filtered
    newest = _newest(calibrations)
    for key, entry in found.items():
        entry.calibration = newest.get(key)
    return [found[key] for key in sorted(found)]


def _newest(calibrations: Iterable[Calibration]) -> dict[tuple[str, str, str], Calibration]:
    """Return the newest calibration of each version; they are listed with the newest first."""
    by_version: defaultdict[tuple[str, str, str], list[Calibration]] = defaultdict(list)
    for each in calibrations:
        by_version[each.judge.name, each.judge.version, each.judge.rubric_hash].append(each)
    return {key: group[0] for key, group in by_version.items()}
