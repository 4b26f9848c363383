"""Checks which verdicts a request selects."""

from __future__ import annotations

from libra.core.errors import Invalid, NotFound
from libra.core.response_names import response_name
from libra.ranking.verdicts.verdict_scan import ContentFilter
from libra.store.client import Store
from libra.store.reports.verdict_search import VerdictFilter
from libra.v1.completion_pb2 import ResponseClass
from libra.v1.ranking_pb2 import ListVerdictsRequest
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import Outcome

MAX_TEXT = 200
"""The most characters of a text to find."""

MAX_REASON = 1000
PLACE_FIELDS = frozenset({"page_size", "page_token", "view", "count", "auditor_key", "excerpts"})
"""The fields that do not change which verdicts are in the list."""


async def check_selection(store: Store, request: ListVerdictsRequest) -> tuple[VerdictFilter, ContentFilter]:
    """Return what the request selects. Raises NotFound for an unknown run, and Invalid for a bad field."""
    _check_numbers(request)
    if not request.run:
        if not request.text.strip():
            raise NotFound("name a run, or give a text to find in all runs", field="run")
    elif await store.runs.get_state(request.run) is None:
        raise NotFound.run(request.run, field="run")
    for field in ("model", "task", "attack"):
        if "/" in getattr(request, field):
            raise Invalid(f"{getattr(request, field)!r} is not the name of a {field}: it contains a '/'", field=field)
    selection = VerdictFilter(
        run=request.run,
        judging=request.judging,
        model=request.model,
        task=request.task,
        attack=request.attack,
        outcome=request.outcome,
        response=response_name(request.response) if request.response else "",
        label=request.label,
        judge=request.judge,
        category=request.category,
        min_score=request.min_score if request.HasField("min_score") else None,
        max_score=request.max_score if request.HasField("max_score") else None,
    )
    return selection, _check_content(request)


def name_list(request: ListVerdictsRequest) -> str:
    """Return the name of the list with all its filters: a page token is valid only for its own list."""
    filters = [f"{field.name}={value}" for field, value in request.ListFields() if field.name not in PLACE_FIELDS]
    return f"verdicts/{filters}"


def _check_numbers(request: ListVerdictsRequest) -> None:
    if request.response not in ResponseClass.values():
        raise Invalid(f"{request.response} is not the number of a class of responses", field="response")
    if request.outcome not in Outcome.values():
        raise Invalid(f"{request.outcome} is not the number of an outcome", field="outcome")
    if request.category not in Category.values():
        raise Invalid(f"{request.category} is not the number of a category", field="category")
    if request.judging < 0:
        raise Invalid("it is negative; 0 is the run's own judging", field="judging")
    for field in ("min_score", "max_score"):
        if request.HasField(field) and not 0 <= getattr(request, field) <= 1:
            raise Invalid(f"{getattr(request, field):g} is not between 0 and 1", field=field)


def _check_content(request: ListVerdictsRequest) -> ContentFilter:
    for field, limit in (("text", MAX_TEXT), ("reason", MAX_REASON)):
        value = getattr(request, field)
        if len(value) > limit:
            raise Invalid(f"it has {len(value):,} characters; the limit is {limit:,}", field=field)
        if "\0" in value:
            raise Invalid("it contains the character NUL, which no stored text has", field=field)
    return ContentFilter(request.text.strip(), request.reason.strip())
