"""OpenAI's Responses API."""

from __future__ import annotations

from typing import Any

from libra.gateway.provider.adapters.openai_chat import OpenAiChat
from libra.gateway.provider.adapters.openai_chat_request import SCHEMA_NAME
from libra.gateway.provider.request import JSON_OBJECT, CompletionRequest

MAX_TOKENS = "max_output_tokens"


class OpenAiResponses(OpenAiChat):
    """Adapts the Responses API. Its bodies are read like those of chat completions: `foreign_choice` knows the form."""

    def url(self, request: CompletionRequest) -> str:
        """Return the URL of the endpoint."""
        return f"{request.model.base_url.rstrip('/')}/responses"

    def body(self, request: CompletionRequest) -> dict[str, Any]:
        """Return the body; fields that are not set are not sent. Raises InvalidSchema.

        System turns are items of the input, not `instructions`, so that they keep their place and role. OpenAI has no
        seed, top_k and stop here, other servers do: they are sent, and an endpoint that refuses them says so.
        """
        document: dict[str, Any] = {
            "model": request.remote_model,
            "input": [{"role": turn.role, "content": turn.content} for turn in request.turns_to_send()],
            "store": False,
            request.token_limit_name(MAX_TOKENS): request.max_tokens,
            **request.sampling(),
        }
        if stop := request.stop:
            document["stop"] = stop
        if effort := request.reasoning_effort:
            document["reasoning"] = {"effort": effort}
        if schema := request.schema():
            document["text"] = {
                "format": {"type": "json_schema", "name": SCHEMA_NAME, "schema": schema, "strict": True}
            }
        elif request.is_json_object:
            document["text"] = {"format": {"type": JSON_OBJECT}}
        return document
