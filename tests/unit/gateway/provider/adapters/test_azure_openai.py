"""Azure takes API keys, and tokens of Microsoft Entra ID."""

from __future__ import annotations

import pytest

from libra.gateway.provider.adapters.azure_openai import AzureOpenAi


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        ("0123456789abcdef", {"api-key": "0123456789abcdef"}),
        ("eyJ0eXAi.eyJhdWQi.c2lnbmF0dXJl", {"Authorization": "Bearer eyJ0eXAi.eyJhdWQi.c2lnbmF0dXJl"}),
        ("eyJ-a-key-that-begins-like-a-token", {"api-key": "eyJ-a-key-that-begins-like-a-token"}),
        ("", {}),
    ],
)
async def test_a_token_is_sent_as_a_bearer_token_and_a_key_as_api_key(key: str, headers: dict[str, str]) -> None:
    assert await AzureOpenAi().credentials("https://example.openai.azure.com", b"{}", key) == headers
