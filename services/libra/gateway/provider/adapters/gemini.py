"""Google's generateContent, of the Gemini API and of Vertex AI.

References: https://ai.google.dev/api/generate-content and
https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.adapters import gemini_response
from libra.gateway.provider.keys.google_token import GoogleTokens
from libra.gateway.provider.request import CompletionRequest, split_system
from libra.gateway.provider.result import ProviderResult
from libra.v1.message_pb2 import Message

ROLES = {"user": "user", "assistant": "model"}
SAMPLING = {"temperature": "temperature", "top_p": "topP", "top_k": "topK", "seed": "seed"}
JSON_TYPE = "application/json"


class Gemini:
    """Adapts generateContent."""

    unsupported: frozenset[str] = frozenset()
    """Parameters that the API lacks: none."""

    def __init__(self) -> None:
        self._tokens = GoogleTokens()

    def url(self, request: CompletionRequest) -> str:
        """Return the URL of the model. A name with "/" is a path: "tunedModels/mine", "endpoints/123"."""
        name = request.remote_model.strip("/")
        path = name if "/" in name else f"models/{name}"
        return f"{request.model.base_url.rstrip('/')}/{quote(path, safe='/@')}:generateContent"

    def body(self, request: CompletionRequest) -> dict[str, Any]:
        """Return the body; fields that are not set are not sent. Raises InvalidRequest."""
        system, turns = split_system(request.turns_to_send())
        document: dict[str, Any] = {
            "contents": [_content(turn) for turn in turns],
            "generationConfig": _generation_config(request),
        }
        if system:
            document["systemInstruction"] = {"parts": [{"text": text} for text in system]}
        return document

    async def credentials(self, url: str, _body: bytes, key: str) -> Mapping[str, str]:
        """Return the header of an API key or of an access token. Raises NoKey."""
        return await self._tokens.headers(url, key)

    def read(self, response: HttpResponse, request: CompletionRequest, key: str) -> ProviderResult:
        """Return the result of a response."""
        return gemini_response.read(response, request.model, self._tokens.sent_secret(key))


def _content(turn: Message) -> dict[str, Any]:
    return {"role": ROLES[turn.role], "parts": [{"text": turn.content}]}


def _generation_config(request: CompletionRequest) -> dict[str, Any]:
    """Return the parameters. An effort that is a number is a budget of tokens; -1 leaves it to the model."""
    config: dict[str, Any] = {SAMPLING[name]: value for name, value in request.sampling().items()}
    config[request.token_limit_name("maxOutputTokens")] = request.max_tokens
    if stop := request.stop:
        config["stopSequences"] = stop
    if effort := request.reasoning_effort:
        is_budget = effort.removeprefix("-").isdecimal()
        config["thinkingConfig"] = {"thinkingBudget": int(effort)} if is_budget else {"thinkingLevel": effort}
    if schema := request.schema():
        config |= {"responseMimeType": JSON_TYPE, "responseJsonSchema": schema}
    elif request.is_json_object:
        config["responseMimeType"] = JSON_TYPE
    return config
