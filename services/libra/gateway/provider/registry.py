"""The registry of providers: the adapter for each kind of provider that a registered model may name."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from copy import copy

from libra.core.errors import unknown
from libra.gateway.provider import scripted
from libra.gateway.provider.adapter import Adapter
from libra.gateway.provider.adapters.anthropic import Anthropic
from libra.gateway.provider.adapters.azure_openai import AzureOpenAi
from libra.gateway.provider.adapters.bedrock import Bedrock
from libra.gateway.provider.adapters.gemini import Gemini
from libra.gateway.provider.adapters.openai_chat import OpenAiChat
from libra.gateway.provider.adapters.openai_responses import OpenAiResponses
from libra.gateway.provider.exchange_record import Record
from libra.gateway.provider.http.network import Network
from libra.gateway.provider.http_provider import HttpProvider
from libra.gateway.provider.keys.model_keys import ModelKeys
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.gateway.provider.streaming.anthropic_stream import AnthropicStream
from libra.gateway.provider.streaming.chat_stream import ChatStream
from libra.gateway.provider.streaming.form import StreamForm
from libra.gateway.provider.streaming.gemini_stream import GeminiStream
from libra.gateway.provider.streaming.responses_stream import ResponsesStream
from libra.gateway.provider.streaming.text_relay import TextRelay
from libra.v1.completion_pb2 import FinishReason
from libra.v1.model_pb2 import Model, Provider

ADAPTERS: Mapping[int, Adapter] = {
    Provider.PROVIDER_OPENAI: OpenAiChat(),
    Provider.PROVIDER_ANTHROPIC: Anthropic(),
    Provider.PROVIDER_GEMINI: Gemini(),
    Provider.PROVIDER_BEDROCK: Bedrock(),
    Provider.PROVIDER_OPENAI_RESPONSES: OpenAiResponses(),
    Provider.PROVIDER_AZURE_OPENAI: AzureOpenAi(),
}
"""The adapter of each kind of provider that is asked over HTTP."""


STREAM_FORMS: Mapping[int, StreamForm] = {
    Provider.PROVIDER_OPENAI: ChatStream(),
    Provider.PROVIDER_ANTHROPIC: AnthropicStream(),
    Provider.PROVIDER_GEMINI: GeminiStream(),
    Provider.PROVIDER_OPENAI_RESPONSES: ResponsesStream(),
    Provider.PROVIDER_AZURE_OPENAI: ChatStream(),
}
"""The form of the stream of each kind of provider; the others answer at once."""


class Providers:
    """Sends a request to the provider of its model."""

    def __init__(self, keys: ModelKeys, network: Network | None = None) -> None:
        self._http = HttpProvider(keys, network)
        self._record: Record | None = None

    def recorded(self, record: Record) -> Providers:
        """Return the same providers over the same connections, which also pass each exchange to `record`."""
        providers = copy(self)
        providers._record = record  # noqa: SLF001 - a copy of its own
        return providers

    def ask(self, request: CompletionRequest, relay: TextRelay | None = None) -> Coroutine[None, None, ProviderResult]:
        """Make one request. Every outcome is a result; only after `close` it raises Unavailable.

        With `relay`, the answer is streamed if its API has a form for that; the text goes there while it arrives.
        """
        if adapter := ADAPTERS.get(request.model.provider):
            if relay is not None and (form := STREAM_FORMS.get(request.model.provider)):
                return self._http.ask_streaming(adapter, form, request, relay)
            return self._http.ask(adapter, request, self._record)
        return self._ask_locally(request)

    async def _ask_locally(self, request: CompletionRequest) -> ProviderResult:
        if request.model.provider == Provider.PROVIDER_SCRIPTED:
            return _apply_rule(request)
        return ProviderFault(self.problem_of(request.model), FaultKind.FINAL)

    def problem_of(self, model: Model) -> str:
        """Return why the model cannot be asked, or an empty string."""
        if model.provider in ADAPTERS:
            return self._http.problem_of(model)
        if model.provider == Provider.PROVIDER_SCRIPTED:
            rule = model.remote_model or model.name
            return "" if rule in scripted.RULES else unknown("rule", rule, list(scripted.RULES))
        return f"this gateway does not know the model's provider ({model.provider})"

    async def close(self) -> None:
        """Close every connection."""
        await self._http.close()


def _apply_rule(request: CompletionRequest) -> ProviderResult:
    rule = scripted.RULES.get(request.remote_model)
    if rule is None:
        return ProviderFault(unknown("rule", request.remote_model, list(scripted.RULES)), FaultKind.FINAL)
    return ProviderAnswer(rule(request.messages), FinishReason.FINISH_REASON_STOP)
