"""Every way to reach a model, by the kind that its entry names."""

from __future__ import annotations

from collections.abc import Mapping

from libra.errors import unknown
from libra.gateway.completion.request import CompletionRequest
from libra.gateway.provider import api_key, scripted
from libra.gateway.provider.openai import OpenAi
from libra.gateway.provider.result import Answer, Fault, Kind, Reply
from libra.v1 import model_pb2
from libra.v1.completion_pb2 import FinishReason
from libra.v1.model_pb2 import Model


class Providers:
    """Puts a question to the provider of its model."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._openai = OpenAi(environment)

    async def ask(self, question: CompletionRequest) -> Reply:
        """Make one request; whatever comes of it is a reply."""
        match question.model.provider:
            case model_pb2.PROVIDER_OPENAI:
                return await self._openai.ask(question)
            case model_pb2.PROVIDER_SCRIPTED:
                return _by_rule(question)
            case _:
                return Fault(self.problem_of(question.model), Kind.FINAL)

    def problem_of(self, model: Model) -> str:
        """Return what keeps the model from being asked, or an empty string."""
        match model.provider:
            case model_pb2.PROVIDER_OPENAI:
                return api_key.problem_of(model, self._environment)
            case model_pb2.PROVIDER_SCRIPTED:
                rule = model.remote_model or model.name
                return "" if rule in scripted.RULES else unknown("rule", rule, list(scripted.RULES))
            case _:
                return f"the model's entry names a provider that this gateway does not know ({model.provider})"

    async def close(self) -> None:
        """Close every connection."""
        await self._openai.close()


def _by_rule(question: CompletionRequest) -> Reply:
    rule = scripted.RULES.get(question.remote_model)
    if rule is None:
        return Fault(unknown("rule", question.remote_model, list(scripted.RULES)), Kind.FINAL)
    return Answer(rule(question.messages), FinishReason.FINISH_REASON_STOP)
