"""Requests to Google carry the header that fits the key: an API key, or an access token that is kept."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.google_account import TokenEndpoint

from libra.gateway.provider.keys.api_key import NoKey, NoToken
from libra.gateway.provider.keys.google_token import GoogleTokens

SOURCE = Path(__file__).parents[4] / "services" / "libra"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent"
VERTEX = "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/m:x"


@pytest.fixture
async def tokens() -> AsyncIterator[TokenEndpoint]:
    async with TokenEndpoint() as endpoint:
        yield endpoint


@pytest.mark.parametrize(
    ("url", "key", "headers"),
    [
        (GEMINI, "AIzaSyTest", {"x-goog-api-key": "AIzaSyTest"}),
        (GEMINI, "another-form", {"x-goog-api-key": "another-form"}),
        (GEMINI, "ya29.token", {"Authorization": "Bearer ya29.token"}),
        (VERTEX, "AIzaSyTest", {"x-goog-api-key": "AIzaSyTest"}),
        (VERTEX, "AQ.Ab8Test", {"x-goog-api-key": "AQ.Ab8Test"}),
        (VERTEX, "token-of-a-proxy", {"Authorization": "Bearer token-of-a-proxy"}),
        (GEMINI, "", {}),
        ("http://127.0.0.1:1/v1/projects/p/models/m:x", "", {}),
        ("https://googleapis.com.example.org/v1/projects/p/models/m:x", "", {}),
    ],
)
async def test_the_header_fits_the_key(url: str, key: str, headers: dict[str, str]) -> None:
    assert await GoogleTokens().headers(url, key) == headers


async def test_a_service_account_gets_one_token_for_many_requests(tokens: TokenEndpoint) -> None:
    google = GoogleTokens()
    found = await asyncio.gather(*(google.headers(VERTEX, tokens.account) for _ in range(8)))
    assert found == [{"Authorization": "Bearer ya29.test-token-1"}] * 8
    assert len(tokens.requests) == 1
    assert google.sent_secret(tokens.account) == "ya29.test-token-1"


async def test_an_expired_token_is_replaced(tokens: TokenEndpoint) -> None:
    google, tokens.lifetime_seconds = GoogleTokens(), 1
    await google.headers(VERTEX, tokens.account)
    assert await google.headers(VERTEX, tokens.account) == {"Authorization": "Bearer ya29.test-token-2"}


async def test_without_a_key_google_gets_a_token_of_the_gateways_own_account(
    tokens: TokenEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "account.json"
    file.write_text(tokens.account)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    assert await GoogleTokens().headers(VERTEX, "") == {"Authorization": "Bearer ya29.test-token-1"}


async def test_a_refused_account_is_reported_without_its_key(tokens: TokenEndpoint) -> None:
    tokens.status = 400
    with pytest.raises(NoKey, match="issued no access token") as problem:
        await GoogleTokens().headers(VERTEX, tokens.account)
    assert not isinstance(problem.value, NoToken)
    assert "libra@p" not in str(problem.value)


async def test_a_token_endpoint_that_is_down_is_a_passing_problem(tokens: TokenEndpoint) -> None:
    account = tokens.account.replace(f":{tokens.port}/", ":1/")
    with pytest.raises(NoToken, match="issued no access token"):
        await GoogleTokens().headers(VERTEX, account)


@pytest.mark.parametrize("key", ["{", "{}", '{"type": "service_account"}', '{"a": 1} x'])
async def test_a_key_that_is_no_account_is_reported(key: str) -> None:
    with pytest.raises(NoKey, match="not the JSON of a service account"):
        await GoogleTokens().headers(VERTEX, key)


async def test_a_missing_package_is_reported_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.oauth2.service_account", None)
    with pytest.raises(NoKey, match=r"libra\[vertex\]"):
        await GoogleTokens().headers(VERTEX, "{}")


def test_google_auth_is_imported_in_one_file() -> None:
    # import-linter knows no packages within `google`, which gRPC and protobuf share.
    users = [path.name for path in SOURCE.rglob("*.py") if re.search(r"google\.(?:auth|oauth2)", path.read_text())]
    assert users == ["google_token.py"]
