"""Write a question as the body of OpenAI's chat completions."""

from __future__ import annotations

from typing import Any

import orjson

from libra.gateway.completion.request import CompletionRequest

SCHEMA_NAME = "answer"
MAX_TOKENS = "max_tokens"
MAX_COMPLETION_TOKENS = "max_completion_tokens"
"""What OpenAI calls it since its reasoning models, which refuse the old name; most other servers know the old name only."""


class BadSchema(ValueError):
    """The question's json_schema is no JSON object, so that no provider can be asked to follow it."""


def body(question: CompletionRequest, *, limit: str = MAX_TOKENS) -> bytes:
    """Return the request's JSON; what is not set is not sent. `limit` is what the endpoint calls it. Raise BadSchema."""
    parameters = question.parameters
    sent: dict[str, Any] = {
        "model": question.remote_model,
        "messages": [{"role": message.role, "content": message.content} for message in question.messages],
        limit: question.max_tokens,
    }
    for name in ("temperature", "top_p", "seed"):
        if parameters.HasField(name):
            sent[name] = getattr(parameters, name)
    if parameters.json_schema:
        schema = {"name": SCHEMA_NAME, "schema": parsed_schema(parameters.json_schema), "strict": True}
        sent["response_format"] = {"type": "json_schema", "json_schema": schema}
    return orjson.dumps(sent)


def parsed_schema(text: str) -> dict[str, Any]:
    """Return the schema; raise BadSchema."""
    try:
        schema = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadSchema(f"json_schema is not JSON: {error}") from None
    if not isinstance(schema, dict):
        raise BadSchema("json_schema is not a JSON object")
    return schema
