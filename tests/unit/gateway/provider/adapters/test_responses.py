"""Every adapter reads each situation as the published reference of its API says."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest
from tests.provider_fixtures import ProviderFixture, ResponseFixture, provider_fixtures

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.v1 import completion_pb2 as pb

KEY = "sk-test-7c1f0a9be24d4c5fa1"
FIXTURES = pytest.mark.parametrize("fixture", provider_fixtures().values(), ids=provider_fixtures())
CASES = [(fixture, name) for fixture in provider_fixtures().values() for name in fixture.responses]
SITUATIONS = pytest.mark.parametrize(
    ("fixture", "name"), CASES, ids=[f"{fixture.name}-{name}" for fixture, name in CASES]
)
FINISH_REASONS = {
    "answered": {pb.FINISH_REASON_STOP},
    "refused_by_model": {pb.FINISH_REASON_STOP},
    "blocked_input": {pb.FINISH_REASON_CONTENT_FILTER},
    "blocked_output": {pb.FINISH_REASON_CONTENT_FILTER},
    "truncated": {pb.FINISH_REASON_LENGTH},
    "tool_calls": {pb.FINISH_REASON_UNSPECIFIED, pb.FINISH_REASON_STOP},
}


def read(fixture: ProviderFixture, response: HttpResponse) -> ProviderResult:
    return fixture.adapter.read(response, fixture.request(), KEY)


def texts(document: Any) -> list[str]:
    """Return every text in a JSON value."""
    if isinstance(document, str):
        return [document]
    values = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return [text for value in values for text in texts(value)]


def with_texts(document: Any, old: str, new: str) -> Any:
    """Return a JSON value in which the texts are replaced."""
    if isinstance(document, str):
        return document.replace(old, new)
    if isinstance(document, dict):
        return {key: with_texts(value, old, new) for key, value in document.items()}
    return [with_texts(value, old, new) for value in document] if isinstance(document, list) else document


@SITUATIONS
def test_a_situation_has_its_outcome(fixture: ProviderFixture, name: str) -> None:
    expected = fixture.responses[name]
    result = read(fixture, expected.response())
    assert result.outcome == expected.outcome, result
    if isinstance(result, ProviderAnswer):
        check_answer(result, expected)
    else:
        assert expected.words.lower() in result.reason.lower()
        assert result.retry_after_seconds == expected.wait


def check_answer(result: ProviderAnswer, expected: ResponseFixture) -> None:
    assert result.text == expected.text
    named = {pb.FinishReason.Value(f"FINISH_REASON_{expected.finish.upper()}")} if expected.finish else None
    assert result.finish_reason in (named or FINISH_REASONS[expected.outcome])
    assert expected.words.lower() in result.words.lower()
    assert expected.category in (None, result.category)
    if expected.usage is not None or not expected.outcome.startswith("blocked"):
        usage = [result.prompt_tokens, result.completion_tokens] if result.is_usage_known else None
        assert usage == expected.usage


@FIXTURES
def test_faults_name_a_remedy(fixture: ProviderFixture) -> None:
    reasons = {
        name: result.reason
        for name in ("wrong_key", "unknown_model", "quota_used_up")
        if isinstance(result := read(fixture, fixture.responses[name].response()), ProviderFault)
    }
    assert "TEST_API_KEY" in reasons["wrong_key"]
    assert "check remote_model and base_url" in reasons["unknown_model"]
    assert "quota" in reasons["quota_used_up"]


@SITUATIONS
def test_the_key_is_in_no_result_even_if_every_text_repeats_it(fixture: ProviderFixture, name: str) -> None:
    expected = fixture.responses[name]
    document = expected.body if expected.raw is None else expected.raw
    for text in texts(document):
        for echoed in (f"{text} {KEY}", KEY):
            result = read(fixture, expected.response(with_texts(document, text, echoed)))
            assert not has_piece_of_key(result), result
        cut = read(fixture, expected.response(with_texts(document, text, f"{text} {KEY[3:15]}...")))
        # An answer may quote a few letters that a key has, too.
        assert not has_piece_of_key(cut._replace(text="") if isinstance(cut, ProviderAnswer) else cut), cut


def has_piece_of_key(result: ProviderResult) -> bool:
    return any(KEY[start : start + 8] in repr(result) for start in range(len(KEY) - 7))


@FIXTURES
@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500, 502])
def test_a_web_page_is_quoted_by_its_title(fixture: ProviderFixture, status: int) -> None:
    page = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><p>long</p></body></html>"
    result = read(fixture, HttpResponse(status, {}, page))
    assert isinstance(result, ProviderFault)
    assert '"502 Bad Gateway"' in result.reason
    assert "<" not in result.reason
    assert (result.kind == FaultKind.UNREADABLE) == (status == HTTPStatus.OK)


@FIXTURES
def test_truncated_json_is_no_answer(fixture: ProviderFixture) -> None:
    body = fixture.responses["answered"].response().body
    for length in range(0, len(body), max(1, len(body) // 40)):
        result = read(fixture, HttpResponse(200, {}, body[:length]))
        assert isinstance(result, ProviderFault)
        assert result.kind == FaultKind.UNREADABLE


@FIXTURES
def test_a_byte_order_mark_is_skipped(fixture: ProviderFixture) -> None:
    answered = fixture.responses["answered"]
    assert read(fixture, answered.response(b"\xef\xbb\xbf" + answered.response().body)) == read(
        fixture, answered.response()
    )


@FIXTURES
def test_lone_surrogates_are_replaced(fixture: ProviderFixture) -> None:
    answered = fixture.responses["answered"]
    document = with_texts(answered.body, answered.text, "a\ud800b")
    result = read(fixture, answered.response(json.dumps(document).encode()))
    assert isinstance(result, ProviderAnswer)
    assert result.text == "a\ufffdb"
