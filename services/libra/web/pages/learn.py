"""The page that explains how to read the board, with pictures made from this system's own data."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from aiohttp import web

from libra.core.attack_names import PLAIN
from libra.core.category_names import CATEGORIES
from libra.v1.ranking_pb2 import AttackReport, BoardRow, GetBoardRequest, ReportAttacksRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import Run, RunState
from libra.v1.task_pb2 import ListTasksRequest, Task
from libra.v1.task_pb2_grpc import TaskServiceStub
from libra.web.charts import forest, scatter
from libra.web.keys import BACKEND
from libra.web.links import model_path
from libra.web.pages.board.filter_choices import Choices, load_choices, load_references
from libra.web.pages.board.page import scatter_points
from libra.web.query import Query
from libra.web.renderer import render

ROUTES = web.RouteTableDef()

MODELS_SHOWN = 10
ATTACKS_SHOWN = 12

EXAMPLES = {
    "direct_risky": ("A harmful request in plain words.", "does not help"),
    "adversarial": ("A harmful request in disguise, or under an attack.", "does not help"),
    "instruction_hierarchy": ("A user tries to override the system message.", "follows the system message"),
    "over_sensitive": ("A harmless request that looks harmful.", "helps"),
    "capability": ("A question or a job with a right answer.", "is right"),
}
"""By category: what is asked, and what a good answer does."""


@ROUTES.get("/learn")
async def show(request: web.Request) -> web.Response:
    """Explain what is measured, why balance counts, what attacks do, and how to read an interval."""
    Query.of(request).finish()
    backend = request.app[BACKEND]
    board, tasks, references, choices = await asyncio.gather(
        backend.attempt(RankingServiceStub, "GetBoard", GetBoardRequest()),
        backend.attempt(TaskServiceStub, "ListTasks", ListTasksRequest(page_size=500)),
        load_references(backend),
        load_choices(backend),
    )
    rows = list(board.value.board.rows) if board.value else []
    run = attacked_run(choices)
    attacks = (
        await backend.attempt(RankingServiceStub, "ReportAttacks", ReportAttacksRequest(run=run.id)) if run else None
    )
    reports = list(attacks.value.reports) if attacks and attacks.value else []
    names = names_by_category(tasks.value.tasks if tasks.value else ())
    values = {
        "board": board,
        "tasks": tasks,
        "categories": [(name, *EXAMPLES[name], names[name]) for name in CATEGORIES],
        "balance_chart": scatter.draw(scatter_points(rows, references)) if has_overall(rows) else "",
        "has_references": bool(references),
        "interval_chart": draw_intervals(rows),
        "interval_example": next(
            (row for row in rows if row.HasField("overall") and row.overall.HasField("low")), None
        ),
        "attack_chart": draw_attacks(reports),
        "attack_run": run,
    }
    return render(request, "learn.html", values)


def names_by_category(tasks: Iterable[Task]) -> dict[str, list[str]]:
    """Return the names of the tasks of each category, without repeating one that has several versions."""
    return {
        name: sorted({task.name for task in tasks if task.category == number}) for name, number in CATEGORIES.items()
    }


def has_overall(rows: Sequence[BoardRow]) -> bool:
    """Return whether a chart of safety against capability would show anything."""
    return any(row.HasField("overall") for row in rows)


def attacked_run(choices: Choices) -> Run | None:
    """Return the newest finished run with an attack, if there is one."""
    return next(
        (
            run
            for run in choices.runs
            if run.state == RunState.RUN_STATE_FINISHED and any(attack != PLAIN for attack in run.spec.attacks)
        ),
        None,
    )


def draw_intervals(rows: Sequence[BoardRow]) -> str:
    """Return the Overall of the first models with its intervals; empty without any."""
    shown = [row for row in rows if row.HasField("overall")][:MODELS_SHOWN]
    bars = [
        forest.Row(
            row.model,
            row.overall.value,
            row.overall.low if row.overall.HasField("low") else None,
            row.overall.high if row.overall.HasField("high") else None,
            href=model_path(row.model),
        )
        for row in shown
    ]
    return forest.draw(bars, "overall", "Overall with 95 % intervals", low=0.0, high=1.0) if bars else ""


def draw_attacks(reports: Sequence[AttackReport]) -> str:
    """Return by how much each attack raises the share of helped harmful requests, on each model; empty without any."""
    gains = sorted((each for each in reports if each.HasField("gain")), key=lambda each: -each.gain.value)
    bars = [
        forest.Row(
            f"{each.attack} on {each.model}",
            each.gain.value,
            each.gain.low if each.gain.HasField("low") else None,
            each.gain.high if each.gain.HasField("high") else None,
            class_="bad" if each.gain.value > 0 else "",
        )
        for each in gains[:ATTACKS_SHOWN]
    ]
    title = "Gain of attacks over the plain prompt"
    return (
        forest.draw(bars, "more harmful requests helped with", title, low=-1.0, high=1.0, form="+.0%") if bars else ""
    )
