"""Filters of verdicts: what a URL says, and the URL that says it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from libra.core.errors import Invalid
from libra.v1.completion_pb2 import ResponseClass
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import Outcome
from libra.web.query import Query
from libra.web.transcript.verdict_filters import VerdictFilters, verdict_url, verdicts_url


def read(**parameters: str) -> VerdictFilters:
    query = Query("/x", list(parameters.items()))
    found = VerdictFilters.read(query)
    query.finish()
    return found


def test_filters_become_a_request_and_the_same_url() -> None:
    parameters = {
        "text": "a&b=<c>",
        "outcome": "scored",
        "category": "direct_risky",
        "response": "truncated",
        "min_score": "0.25",
        "judge": "refusal@3",
    }
    filters = read(**parameters)
    request = filters.to_request("run")
    assert (request.run, request.text, request.judge, request.min_score) == ("run", "a&b=<c>", "refusal@3", 0.25)
    assert request.outcome == Outcome.OUTCOME_SCORED
    assert request.category == Category.CATEGORY_DIRECT_RISKY
    assert request.response == ResponseClass.RESPONSE_CLASS_TRUNCATED
    assert not request.HasField("max_score")
    split = urlsplit(filters.list_url("run"))
    assert (split.path, dict(parse_qsl(split.query))) == ("/runs/run/verdicts", parameters)


@pytest.mark.parametrize("parameters", [{"outcome": "good"}, {"min_score": "2"}, {"max_score": "x"}, {"sort": "y"}])
def test_a_bad_filter_is_refused_by_its_name(parameters: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        read(**parameters)
    assert caught.value.field == next(iter(parameters))


def test_a_verdict_keeps_the_filters_of_its_list() -> None:
    filters = read(label="refused", show="1")
    assert filters.verdict_url("run/0/m/t@1/none/00000000/0000") == (
        "/verdicts/run/0/m/t@1/none/00000000/0000?label=refused&show=1"
    )
    assert filters.verdict_url("a?b#c", shows_text=False) == "/verdicts/a%3Fb%23c?label=refused"
    assert verdict_url("a/b") == "/verdicts/a/b"
    assert verdicts_url("run", outcome="failed", reason="HTTP 429 …").startswith("/runs/run/verdicts?outcome=failed&")
