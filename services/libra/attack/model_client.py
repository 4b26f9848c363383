"""Ask models, through the gateway: who writes for an attack, who judges its attempts, and the model under attack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import grpc.aio

from libra.attack.attack_session import AskModel, ModelReply, ModelRole
from libra.attack.conversation import Turns
from libra.attack.proto_mapping import to_messages
from libra.errors import CallerError
from libra.rpc.client import call
from libra.v1.batch_pb2 import BatchHeader
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters
from libra.v1.gateway_pb2 import CompleteRequest, Conversation
from libra.v1.gateway_pb2_grpc import GatewayServiceStub

MAX_TOKENS: Mapping[ModelRole, int] = {ModelRole.ATTACKER: 2048, ModelRole.JUDGE: 512}
"""A prompt of some pages; a score and a sentence, with room for a model that reasons aloud."""


@dataclass(frozen=True, slots=True)
class AttackModels:
    """Who takes part in one attack on one sample, and how the target is asked."""

    attacker: str
    target: str
    judge: str
    parameters: GenerationParameters
    """The target's, as its run has them."""

    epoch: int = 0
    fresh_for: str = ""

    @classmethod
    def from_batch(cls, header: BatchHeader, epoch: int) -> AttackModels:
        """Return those of a trial. The target is asked as the gateway's stage will ask it, so that its answer is found there."""
        return cls(
            attacker=header.attack_model,
            target=header.model,
            judge=header.attack_judge_model,
            parameters=header.parameters,
            epoch=epoch,
            fresh_for=header.run if header.fresh else "",
        )

    def model_for(self, role: ModelRole) -> str:
        """Return the registered model in a role; "" for none."""
        return {ModelRole.ATTACKER: self.attacker, ModelRole.TARGET: self.target, ModelRole.JUDGE: self.judge}[role]

    def roles(self) -> frozenset[ModelRole]:
        """Return the roles that a model is named for."""
        return frozenset(role for role in ModelRole if self.model_for(role))


ConnectModels = Callable[[AttackModels], AskModel]
"""Returns the way to ask these."""


class GatewayClient:
    """Puts one conversation after the other to the gateway, so many at once; it keeps the answers, so that none is asked twice."""

    def __init__(self, channel: grpc.aio.Channel, timeout_seconds: float, at_once: int) -> None:
        self._stub = GatewayServiceStub(channel)
        self._timeout_seconds = timeout_seconds
        # What waits here runs into no deadline; what waits in the gateway does.
        self._free = asyncio.Semaphore(at_once)

    def connect(self, parties: AttackModels) -> AskModel:
        """Return the way to ask them."""

        async def ask(role: ModelRole, turns: Turns, *, temperature: float, json_schema: str, epoch: int) -> ModelReply:
            if role is ModelRole.TARGET:
                return await self._complete(parties.target, parties.parameters, turns, parties.epoch, parties.fresh_for)
            parameters = GenerationParameters(
                temperature=temperature, max_tokens=MAX_TOKENS[role], json_schema=json_schema
            )
            return await self._complete(parties.model_for(role), parameters, turns, epoch, "")

        return ask

    async def _complete(
        self, model: str, parameters: GenerationParameters, turns: Turns, epoch: int, fresh_for: str
    ) -> ModelReply:
        request = CompleteRequest(
            model=model,
            parameters=parameters,
            conversations=[Conversation(messages=to_messages(turns), epoch=epoch)],
            fresh_for=fresh_for,
            patient=True,
        )
        try:
            async with self._free:
                response = await call(self._stub.Complete, request, self._timeout_seconds)
        except CallerError as error:  # to ask again would change nothing: the model is unknown, say
            return ModelReply(error=error.message)
        return to_model_reply(response.completions[0])


def to_model_reply(completion: Completion) -> ModelReply:
    """Return what a completion says."""
    failed = completion.finish_reason == FinishReason.FINISH_REASON_ERROR
    return ModelReply(
        text=completion.text,
        error=(completion.error or "the provider gave no reason") if failed else "",
        filtered=completion.finish_reason == FinishReason.FINISH_REASON_CONTENT_FILTER,
        truncated=completion.finish_reason == FinishReason.FINISH_REASON_LENGTH,
        tokens=completion.usage.prompt_tokens + completion.usage.completion_tokens,
        cost_usd=completion.cost_usd,
        seconds=completion.latency_seconds,
    )
