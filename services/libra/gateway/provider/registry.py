"""The registry of providers: the adapter for each kind of provider that a registered model may name."""

from __future__ import annotations

from collections.abc import Mapping

from libra.core.errors import unknown
from libra.gateway.provider import api_key, scripted
from libra.gateway.provider.openai import OpenAi
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.v1 import model_pb2
from libra.v1.completion_pb2 import FinishReason
from libra.v1.model_pb2 import Model


class Providers:
    """Sends a request to the provider of its model."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._openai = OpenAi(environment)

    async def ask(self, request: CompletionRequest) -> ProviderResult:
        """Make one request. Every outcome is a result; only after `close` it raises Unavailable."""
        match request.model.provider:
            case model_pb2.PROVIDER_OPENAI:
                return await self._openai.ask(request)
            case model_pb2.PROVIDER_SCRIPTED:
                return _apply_rule(request)
            case _:
                return ProviderFault(self.problem_of(request.model), FaultKind.FINAL)

    def problem_of(self, model: Model) -> str:
        """Return why the model cannot be asked, or an empty string."""
        match model.provider:
            case model_pb2.PROVIDER_OPENAI:
                return api_key.problem_of(model, self._environment)
            case model_pb2.PROVIDER_SCRIPTED:
                rule = model.remote_model or model.name
                return "" if rule in scripted.RULES else unknown("rule", rule, list(scripted.RULES))
            case _:
                return f"this gateway does not know the model's provider ({model.provider})"

    async def close(self) -> None:
        """Close every connection."""
        await self._openai.close()


def _apply_rule(request: CompletionRequest) -> ProviderResult:
    rule = scripted.RULES.get(request.remote_model)
    if rule is None:
        return ProviderFault(unknown("rule", request.remote_model, list(scripted.RULES)), FaultKind.FINAL)
    return ProviderAnswer(rule(request.messages), FinishReason.FINISH_REASON_STOP)
