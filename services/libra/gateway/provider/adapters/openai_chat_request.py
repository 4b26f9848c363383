"""Writes a request as the body of OpenAI's chat completions."""

from __future__ import annotations

from typing import Any

from libra.gateway.provider.request import JSON_OBJECT, CompletionRequest

SCHEMA_NAME = "answer"
MAX_TOKENS = "max_tokens"
"""The usual name of the limit. OpenAI's reasoning models refuse it and want "max_completion_tokens", which most other
servers do not know."""


def body(request: CompletionRequest) -> dict[str, Any]:
    """Return the body; fields that are not set are not sent. Raises InvalidSchema."""
    document: dict[str, Any] = {
        "model": request.remote_model,
        "messages": [{"role": message.role, "content": message.content} for message in request.turns_to_send()],
        request.token_limit_name(MAX_TOKENS): request.max_tokens,
        **request.sampling(),
    }
    if request.is_plain and not request.parameters.json_schema and not request.parameters.reasoning_effort:
        return document
    if stop := request.stop:
        document["stop"] = stop
    if effort := request.reasoning_effort:
        document["reasoning_effort"] = effort
    if schema := request.schema():
        named = {"name": SCHEMA_NAME, "schema": schema, "strict": True}
        document["response_format"] = {"type": "json_schema", "json_schema": named}
    elif request.is_json_object:
        document["response_format"] = {"type": JSON_OBJECT}
    return document
