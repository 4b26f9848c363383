"""Serializes a request as the body of OpenAI's chat completions."""

from __future__ import annotations

from typing import Any

import orjson

from libra.gateway.provider.request import CompletionRequest, parsed_schema

SCHEMA_NAME = "answer"
MAX_TOKENS = "max_tokens"
MAX_COMPLETION_TOKENS = "max_completion_tokens"
"""OpenAI's name for the limit since its reasoning models, which refuse the old name. Most other servers know only the
old name."""


def body(request: CompletionRequest, *, limit_name: str = MAX_TOKENS) -> bytes:
    """Return the request as JSON; fields that are not set are not sent. Raises InvalidSchema.

    `limit_name` is the endpoint's name for the maximum number of tokens.
    """
    parameters = request.parameters
    document: dict[str, Any] = {
        "model": request.remote_model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        limit_name: request.max_tokens,
    }
    for name in ("temperature", "top_p", "seed"):
        if parameters.HasField(name):
            document[name] = getattr(parameters, name)
    if parameters.json_schema:
        schema = {"name": SCHEMA_NAME, "schema": parsed_schema(parameters.json_schema), "strict": True}
        document["response_format"] = {"type": "json_schema", "json_schema": schema}
    return orjson.dumps(document)
