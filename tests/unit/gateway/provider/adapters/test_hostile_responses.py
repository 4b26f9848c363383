"""No response makes an adapter raise or invent a text, whatever its types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.provider_fixtures import ProviderFixture, provider_fixtures

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.response.error_text import replace_surrogates
from libra.gateway.provider.result import ProviderAnswer, ProviderFault

from .test_responses import KEY, texts

FIXTURES = pytest.mark.parametrize("fixture", provider_fixtures().values(), ids=provider_fixtures())
STATUSES = st.sampled_from([200, 201, 204, 301, 400, 401, 403, 404, 413, 422, 429, 500, 503, 529, 600])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
WORDS = st.sampled_from(
    [
        "error",
        "choices",
        "message",
        "content",
        "text",
        "type",
        "output",
        "status",
        "code",
        "finish_reason",
        "candidates",
        "stop_reason",
        "usage",
        "object",
        "refusal",
        "tool_calls",
        "parts",
        "reason",
        "metadata",
        "detail",
    ]
)
JSON = st.recursive(
    LEAVES | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=6), inner, max_size=5),
    max_leaves=25,
)
HEADERS = st.dictionaries(st.sampled_from(["retry-after", "x-ratelimit-reset", "location"]), st.text(max_size=9))


def is_spelled(text: str, pieces: set[str]) -> bool:
    """Tell whether the text is a row of pieces."""
    reached = {0}
    for start in range(len(text)):
        if start in reached:
            reached |= {start + len(piece) for piece in pieces if piece and text.startswith(piece, start)}
    return len(text) in reached


def check(fixture: ProviderFixture, response: HttpResponse, document: Any) -> None:
    result = fixture.adapter.read(response, fixture.request(), KEY)
    assert isinstance(result, ProviderAnswer | ProviderFault)
    json.dumps(result.text if isinstance(result, ProviderAnswer) else result.reason).encode()
    if isinstance(result, ProviderAnswer):
        result.text.encode()
        assert isinstance(result.category + result.words, str)
        assert is_spelled(result.text, {replace_surrogates(text) for text in texts(document)})


def nodes(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a JSON value."""
    yield path
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield from nodes(value, (*path, key))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a JSON value with another value at one path."""
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = replaced(document[path[0]], path[1:], value)
    return copy


@FIXTURES
@given(status=STATUSES, headers=HEADERS, document=JSON)
def test_any_json_is_a_result(fixture: ProviderFixture, status: int, headers: dict[str, str], document: Any) -> None:
    check(fixture, HttpResponse(status, headers, json.dumps(document).encode()), document)


@FIXTURES
@given(status=STATUSES, body=st.binary(max_size=60))
def test_any_bytes_are_a_result(fixture: ProviderFixture, status: int, body: bytes) -> None:
    result = fixture.adapter.read(HttpResponse(status, {}, body), fixture.request(), KEY)
    assert isinstance(result, ProviderAnswer | ProviderFault)


@FIXTURES
@given(data=st.data())
def test_a_response_with_one_wrong_value_is_a_result(fixture: ProviderFixture, data: st.DataObject) -> None:
    readable = {name: each for name, each in fixture.responses.items() if each.raw is None}
    expected = readable[data.draw(st.sampled_from(sorted(readable)))]
    path = data.draw(st.sampled_from(list(nodes(expected.body))))
    document = replaced(expected.body, path, data.draw(JSON))
    check(fixture, expected.response(json.dumps(document).encode()), document)


@FIXTURES
@pytest.mark.parametrize("wrong", [None, True, 0, -1.5, "", "x", [], [[]], {}, {"a": {}}], ids=repr)
def test_every_value_may_have_the_wrong_type(fixture: ProviderFixture, wrong: Any) -> None:
    for expected in fixture.responses.values():
        for path in nodes(expected.body) if expected.raw is None else ():
            document = replaced(expected.body, path, wrong)
            check(fixture, expected.response(json.dumps(document).encode()), document)
