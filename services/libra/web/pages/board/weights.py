"""The ranking at every weight of safety against capability."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from libra.v1.ranking_pb2 import WeightRange
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.web.charts import rank_lines
from libra.web.keys import BACKEND
from libra.web.pages.board.view import BoardView
from libra.web.query import Query
from libra.web.renderer import render

CALL_SECONDS = 60.0
MAX_CROSSINGS = 500
"""Crossings that the page lists; the chart and the slider have all."""

DEFAULT_WEIGHT = 50


async def show(request: web.Request) -> web.Response:
    """Show how the ranking depends on the weight of safety."""
    query = Query.of(request)
    weight = query.integer("weight", low=0, high=100, default=DEFAULT_WEIGHT)
    view = BoardView.parse(query)
    part = await request.app[BACKEND].attempt(
        RankingServiceStub, "GetWeights", view.weights_request(), timeout_seconds=CALL_SECONDS
    )
    ranges: Sequence[WeightRange] = part.value.ranges if part.value else ()
    values = {
        "query": query,
        "weights": part,
        "weight": weight,
        "ranking": ranking_at(ranges, weight / 100),
        "chart": rank_lines.draw([rank_lines.Range(each.low, each.high, each.models) for each in ranges]),
        "crossings": part.value.crossings[:MAX_CROSSINGS] if part.value else (),
        "data": [[each.low, each.high, list(each.models)] for each in ranges],
    }
    return render(request, "weights.html", values)


def ranking_at(ranges: Sequence[WeightRange], weight: float) -> list[str]:
    """Return the models at this weight of safety, the best first."""
    return next((list(each.models) for each in ranges if each.low <= weight <= each.high), [])
