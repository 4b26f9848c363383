"""The ratings from the votes of the arena."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from libra.core.errors import Invalid, unknown
from libra.v1.arena_pb2 import ArenaRating, GetRatingsRequest, Question
from libra.v1.arena_pb2_grpc import ArenaServiceStub
from libra.web.charts import forest
from libra.web.keys import BACKEND
from libra.web.links import model_path
from libra.web.query import Query
from libra.web.renderer import render

QUESTIONS = {"safety": Question.QUESTION_SAFETY, "helpfulness": Question.QUESTION_HELPFULNESS}
MARGIN_POINTS = 50.0
MAX_BARS = 40


async def show(request: web.Request) -> web.Response:
    """Show the ratings for one question, overall or under one family of attacks."""
    query = Query.of(request)
    question = query.choice("question", QUESTIONS, default="safety")
    family = query.text("attack_family")
    query.finish()
    asked = GetRatingsRequest(question=QUESTIONS[question], attack_family=family)
    ratings = await request.app[BACKEND].attempt(ArenaServiceStub, "GetRatings", asked)
    families = list(ratings.value.attack_families) if ratings.value else []
    if family and ratings.value and family not in families:
        raise Invalid(unknown("attack family", family, families), field="attack_family")
    values = {
        "query": query,
        "question": question,
        "questions": list(QUESTIONS),
        "family": family,
        "families": families,
        "ratings": ratings,
        "chart": draw(ratings.value.ratings) if ratings.value else "",
    }
    return render(request, "ratings.html", values)


def draw(ratings: Sequence[ArenaRating]) -> str:
    """Return the ratings with their intervals; empty without any."""
    rated = [each for each in ratings if each.HasField("rating")][:MAX_BARS]
    if not rated:
        return ""
    bars = [
        forest.Row(
            each.model,
            each.rating.value,
            each.rating.low if each.rating.HasField("low") else None,
            each.rating.high if each.rating.HasField("high") else None,
            href=model_path(each.model),
        )
        for each in rated
    ]
    ends = [end for bar in bars for end in (bar.value, bar.low, bar.high) if end is not None]
    low, high = min(ends) - MARGIN_POINTS, max(ends) + MARGIN_POINTS
    return forest.draw(bars, "rating (Elo scale)", "Ratings with 95 % intervals", low=low, high=high, form=".0f")
