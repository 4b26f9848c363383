"""OpenAI's chat completions API, which most providers and local servers have as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.adapters import openai_chat_request, openai_chat_response
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import ProviderResult


class OpenAiChat:
    """Adapts chat completions."""

    def url(self, request: CompletionRequest) -> str:
        """Return the URL of the endpoint."""
        return f"{request.model.base_url.rstrip('/')}/chat/completions"

    def body(self, request: CompletionRequest) -> dict[str, Any]:
        """Return the body. Raises InvalidSchema."""
        return openai_chat_request.body(request)

    async def credentials(self, _url: str, _body: bytes, key: str) -> Mapping[str, str]:
        """Return the key as a bearer token (RFC 6750)."""
        return {"Authorization": f"Bearer {key}"} if key else {}

    def read(self, response: HttpResponse, request: CompletionRequest, key: str) -> ProviderResult:
        """Return the result of a response."""
        return openai_chat_response.read(response.status, response.headers, response.body, request.model, key)
