"""The Converse operation of Amazon Bedrock.

Reference: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from urllib.parse import quote

import orjson

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.adapters import bedrock_response
from libra.gateway.provider.keys.aws_signature import signed_headers
from libra.gateway.provider.request import CompletionRequest, split_system
from libra.gateway.provider.result import ProviderResult

SAMPLING = {"temperature": "temperature", "top_p": "topP"}
SCHEMA_NAME = "answer"
TOP_K_NAMES = (("amazon.nova", ("inferenceConfig", "topK")), ("cohere.", ("k",)))
"""The field for top_k of models that do not call it "top_k", by a part of the model's id. Converse has none."""


class Bedrock:
    """Adapts Converse."""

    unsupported = frozenset({"seed"})
    """Parameters that the API lacks; they are not sent."""

    def url(self, request: CompletionRequest) -> str:
        """Return the URL of the model. Its id may be an ARN, which contains "/"."""
        return f"{request.model.base_url.rstrip('/')}/model/{quote(request.remote_model, safe='')}/converse"

    def body(self, request: CompletionRequest) -> dict[str, Any]:
        """Return the body; fields that are not set are not sent. Raises InvalidRequest."""
        system, turns = split_system(request.turns_to_send())
        document: dict[str, Any] = {
            # Roles must alternate: neighbours of the same role become the blocks of one message.
            "messages": [
                {"role": role, "content": [{"text": turn.content} for turn in group]}
                for role, group in groupby(turns, key=lambda turn: turn.role)
            ],
            "inferenceConfig": _inference_config(request),
        }
        if system:
            document["system"] = [{"text": text} for text in system]
        if top_k := request.sampling().get("top_k"):
            document["additionalModelRequestFields"] = _top_k_field(request.remote_model, top_k)
        if output := _output_config(request):
            document["outputConfig"] = output
        return document

    async def credentials(self, url: str, body: bytes, key: str) -> Mapping[str, str]:
        """Return the signature, for an access key "ID:SECRET" or "ID:SECRET:TOKEN", or a Bedrock API key as it is.

        Raises NoKey.
        """
        if ":" in key:
            return signed_headers(url, body, key)
        return {"Authorization": f"Bearer {key}"} if key else {}

    def read(self, response: HttpResponse, request: CompletionRequest, key: str) -> ProviderResult:
        """Return the result of a response."""
        return bedrock_response.read(response, request.model, key)


def _inference_config(request: CompletionRequest) -> dict[str, Any]:
    config: dict[str, Any] = {SAMPLING[name]: value for name, value in request.sampling().items() if name in SAMPLING}
    config[request.token_limit_name("maxTokens")] = request.max_tokens
    if stop := request.stop:
        config["stopSequences"] = stop
    return config


def _top_k_field(model_id: str, top_k: float) -> dict[str, Any]:
    path = next((path for part, path in TOP_K_NAMES if part in model_id), ("top_k",))
    field: Any = top_k
    for name in reversed(path):
        field = {name: field}
    return dict(field)


def _output_config(request: CompletionRequest) -> dict[str, Any]:
    """Return the effort, and the schema, which is sent as text."""
    config: dict[str, Any] = {}
    if effort := request.reasoning_effort:
        config["effort"] = effort
    if schema := request.schema():
        definition = {"name": SCHEMA_NAME, "schema": orjson.dumps(schema).decode()}
        config["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": definition}}
    return config
