"""The route of the page about one model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from libra.core.attack_names import PLAIN
from libra.core.category_names import CATEGORIES, category_name
from libra.core.errors import NotFound
from libra.core.outcome_names import total_of
from libra.v1.model_pb2 import GetModelRequest
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.ranking_pb2 import BoardRow, GetBoardRequest, TaskScore
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.web.backend import Backend
from libra.web.charts import heat_map
from libra.web.keys import ACCESS, BACKEND
from libra.web.pages.model.failed_answers import load_failures
from libra.web.pages.model.history import PastRun, load_cost, load_history
from libra.web.query import Query
from libra.web.renderer import render
from libra.web.unavailable import Part

ROUTES = web.RouteTableDef()


@ROUTES.get("/models/{name}")
async def show(request: web.Request) -> web.Response:
    """Show a model. 404, with the nearest names, for one that is neither registered nor on the board."""
    backend, name, query = request.app[BACKEND], request.match_info["name"], Query.of(request)
    query.finish()
    board, registration, history = await asyncio.gather(
        backend.attempt(RankingServiceStub, "GetBoard", GetBoardRequest()),
        load_registration(backend, name),
        load_history(backend, name),
    )
    rows = board.value.board.rows if board.value else ()
    row = next((each for each in rows if each.model == name), None)
    if row is None and isinstance(registration, NotFound) and not history.value:
        raise registration
    values: dict[str, Any] = {
        "name": name,
        "board": board,
        "row": row,
        "trials": total_of(row.counts) if row else 0,
        "models": sum(1 for each in rows if each.rank),
        "model": registration.value if isinstance(registration, Part) else None,
        "history": history,
        "chart_data": chart_data(history.value or []),
    }
    if row is not None:
        runs = sorted({task.run for category in row.categories for task in category.tasks}, reverse=True)
        tasks = [task for _, task in _tasks(row)]
        cost, failures = await asyncio.gather(
            load_cost(backend, runs[0], name) if runs else asyncio.sleep(0, Part()),
            load_failures(backend, name, tasks, with_answers=request.app[ACCESS].shows_transcripts),
        )
        away = next((each.absence for each in failures if each.absence), None)
        values |= {**score_values(row), "runs": runs, "cost": cost, "failures": failures, "answers": Part(absence=away)}
    return render(request, "model.html", values)


async def load_registration(backend: Backend, name: str) -> Part[Any] | NotFound:
    """Return how the model is registered, or the error that says that it is not."""
    try:
        return await backend.attempt(ModelServiceStub, "GetModel", GetModelRequest(name=name))
    except NotFound as error:
        return error


def score_values(row: BoardRow) -> dict[str, Any]:
    """Return the heat map of a model."""
    attacks = sorted({task.attack for _, task in _tasks(row)}, key=lambda attack: (attack != PLAIN, attack))
    # A task under an attack counts as adversarial; the map shows it beside its plain prompt.
    categories = {task.task: category for category, task in _tasks(row) if task.attack == PLAIN}
    order = list(CATEGORIES)
    entries = [
        heat_map.Entry(
            group=categories.get(task.task, category),
            row=task.task,
            column=task.attack,
            value=task.score.value if task.HasField("score") else None,
            item=task,
        )
        for category, task in _tasks(row)
    ]
    return {
        "attacks": attacks,
        "heat_rows": sorted(heat_map.arrange(entries, attacks), key=lambda each: (order.index(each.group), each.name)),
    }


def chart_data(history: Sequence[PastRun]) -> list[list[float | None]]:
    """Return times in seconds and three series of scores, the oldest run first, as the chart reads them."""
    known = [each for each in reversed(history) if each.row is not None]
    columns: list[list[float | None]] = [[each.run.create_time.seconds for each in known]]
    for name in ("overall", "safety", "capability"):
        rows = (each.row for each in known)
        columns.append([getattr(row, name).value if row and row.HasField(name) else None for row in rows])
    return columns


def _tasks(row: BoardRow) -> list[tuple[str, TaskScore]]:
    return [(category_name(category.category), task) for category in row.categories for task in category.tasks]
