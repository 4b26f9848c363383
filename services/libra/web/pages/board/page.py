"""The routes of the board."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web
from google.protobuf.json_format import MessageToJson

from libra.cli.render.board.board import tasks_by_judge
from libra.cli.render.board.board_export import board_csv, board_markdown
from libra.cli.render.sanitize import escape_json
from libra.v1.ranking_pb2 import Board, BoardRow, Estimate
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.web.charts import scatter
from libra.web.keys import BACKEND
from libra.web.links import model_path
from libra.web.pages.board import weights
from libra.web.pages.board.columns import RATING, attack_names, detail_columns, main_columns, rating_column, task_names
from libra.web.pages.board.filter_choices import Choices, find_newest_run, load_choices, load_ratings, load_references
from libra.web.pages.board.summary import summarize
from libra.web.pages.board.table import table_rows
from libra.web.pages.board.view import CAPABILITIES, SCORES, BoardView
from libra.web.query import Query
from libra.web.renderer import render
from libra.web.unavailable import Part

ROUTES = web.RouteTableDef()

NEWEST = "last"
TOP_SHOWN = 8
"""Models in the short list beside the chart."""

DOWNLOADS = {"csv": "text/csv", "json": "application/json", "md": "text/markdown"}


@ROUTES.get("/")
async def show(request: web.Request) -> web.Response:
    """Show the board."""
    backend, query = request.app[BACKEND], Query.of(request)
    view = BoardView.parse(query)
    if view.runs == (NEWEST,):
        raise web.HTTPFound(query.url(run=await find_newest_run(backend)))
    board, references, choices, ratings = await asyncio.gather(
        backend.attempt(RankingServiceStub, "GetBoard", view.board_request()),
        load_references(backend),
        load_choices(backend),
        load_ratings(backend),
    )
    values = {"query": query, "view": view, "board": board, "choices": choices, "scores": SCORES}
    if board.value:
        values |= board_values(board.value.board, view, references, ratings)
    values |= {"filters": describe_filters(view, choices), "capabilities": list(CAPABILITIES)}
    return render(request, "board.html", values)


@ROUTES.get("/board.{format}")
async def download(request: web.Request) -> web.Response:
    """Send the board as a file, with the same filters."""
    form = request.match_info["format"]
    if form not in DOWNLOADS:
        raise web.HTTPNotFound
    view = BoardView.parse(Query.of(request))
    reply = await request.app[BACKEND].call(RankingServiceStub, "GetBoard", view.board_request())
    texts = {"csv": board_csv, "md": lambda board: f"{board_markdown(board)}\n", "json": board_json}
    return web.Response(
        text=texts[form](reply.board),
        content_type=DOWNLOADS[form],
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="libra-board.{form}"'},
    )


ROUTES.get("/weights")(weights.show)


def board_json(board: Board) -> str:
    """Return the board as JSON, with the names of its proto."""
    return escape_json(MessageToJson(board, preserving_proto_field_name=True, ensure_ascii=False)) + "\n"


def board_values(
    board: Board, view: BoardView, references: Collection[str], ratings: Part[dict[str, Estimate]]
) -> dict[str, Any]:
    """Return what the template shows of a board."""
    main, detail = main_columns(), detail_columns(board.rows, view)
    if ratings.value and not view.has_detail:
        detail.append(rating_column(ratings.value))
    order, order_note = applied_order(view, ratings)
    rows = table_rows(board.rows, main, detail, order, references)
    by_rank = sorted(rows, key=lambda each: each.row.rank or len(board.rows) + 1)
    shown = [each.row for each in by_rank]
    return {
        "order": order,
        "order_note": order_note,
        "main": main,
        "detail": detail,
        "rows": rows,
        "top": [each for each in by_rank if each.row.rank and not each.is_reference][:TOP_SHOWN],
        "chart": scatter.draw(scatter_points(shown, references)),
        "summary": summarize(shown, references),
        "tasks": task_names(board.rows),
        "attacks": attack_names(board.rows),
        "judges": sorted(tasks_by_judge(board).items()),
        "model_names": sorted(row.model for row in board.rows),
    }


def applied_order(view: BoardView, ratings: Part[dict[str, Estimate]]) -> tuple[BoardView, str]:
    """Return the view that the table is sorted by, and why it is not the one of the link.

    A link that sorts by the ratings of the arena shows the board also while there are none.
    """
    if view.sort != RATING or (ratings.value and not view.has_detail):
        return view, ""
    if ratings.absence:
        reason = ratings.absence.sentence
    elif view.has_detail:
        reason = "The arena has no ratings of single tasks and attacks."
    else:
        reason = "The arena has no ratings yet."
    note = f"{reason} The models are in the order of their ranks; the link keeps the order by ratings for later."
    return replace(view, sort="", order=""), note


def scatter_points(rows: Sequence[BoardRow], references: Collection[str]) -> list[scatter.Point]:
    """Return the models with both scores, the best first."""
    return [
        scatter.Point(
            row.model,
            row.safety.value,
            row.capability.value,
            row.overall.value,
            is_reference=row.model in references,
            href=model_path(row.model),
            safety_interval=scatter.interval_of(row.safety),
            capability_interval=scatter.interval_of(row.capability),
        )
        for row in rows
        if row.HasField("overall")
    ]


def describe_filters(view: BoardView, choices: Choices) -> list[tuple[str, str]]:
    """Return the filters that are on, as the name of the parameter and words."""
    names = {run.id: run.spec.name for run in choices.runs}
    found = [("run", f"run {names.get(run) or run}") for run in view.runs]
    found += [("model", f"model {model}") for model in view.models]
    for name in ("round", "category", "task", "attack"):
        if value := getattr(view, name):
            found.append((name, f"{name} {value.replace('_', ' ')}"))
    if view.capability:
        found.append(("capability", f"capability from {view.capability}"))
    if view.scores != "judged":
        found.append(("scores", SCORES[view.scores]))
    if view.hides_references:
        found.append(("references", "without reference models"))
    return found
