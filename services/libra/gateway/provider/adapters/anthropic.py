"""Anthropic's Messages API.

References: https://docs.claude.com/en/api/messages, and the pages on structured outputs and effort beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.adapters import anthropic_response
from libra.gateway.provider.request import TURN_SEPARATOR, CompletionRequest, split_system
from libra.gateway.provider.result import ProviderResult

VERSION = "2023-06-01"
"""The version of the API, unless the model's options name another in the header "anthropic-version"."""


class Anthropic:
    """Adapts messages."""

    unsupported = frozenset({"seed"})
    """Parameters that the API lacks; they are not sent."""

    def url(self, request: CompletionRequest) -> str:
        """Return the URL of the endpoint."""
        return f"{request.model.base_url.rstrip('/')}/messages"

    def body(self, request: CompletionRequest) -> dict[str, Any]:
        """Return the body; fields that are not set are not sent. Raises InvalidRequest."""
        system, turns = split_system(request.turns_to_send())
        document: dict[str, Any] = {
            "model": request.remote_model,
            request.token_limit_name("max_tokens"): request.max_tokens,
            "messages": [{"role": turn.role, "content": turn.content} for turn in turns],
            **{name: value for name, value in request.sampling().items() if name not in self.unsupported},
        }
        if system:
            document["system"] = TURN_SEPARATOR.join(system)
        if stop := request.stop:
            document["stop_sequences"] = stop
        return document | _output_options(request)

    async def credentials(self, _url: str, _body: bytes, key: str) -> Mapping[str, str]:
        """Return the key, and the version of the API."""
        return {"anthropic-version": VERSION} | ({"x-api-key": key} if key else {})

    def read(self, response: HttpResponse, request: CompletionRequest, key: str) -> ProviderResult:
        """Return the result of a response."""
        return anthropic_response.read(response, request.model, key)


def _output_options(request: CompletionRequest) -> dict[str, Any]:
    """Return the fields for reasoning and for a schema. An effort that is a number is a budget of tokens."""
    fields: dict[str, Any] = {}
    output: dict[str, Any] = {}
    effort = request.reasoning_effort
    if effort.isdecimal():
        fields["thinking"] = {"type": "enabled", "budget_tokens": int(effort)}
    elif effort:
        output["effort"] = effort
    if schema := request.schema():
        output["format"] = {"type": "json_schema", "schema": schema}
    return fields | ({"output_config": output} if output else {})
