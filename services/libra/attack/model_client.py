"""Call the models of an attack through the gateway: the attacker, the judge of attempts, and the target."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import grpc.aio

from libra.attack.attack_session import AskModel, ModelReply, ModelRole
from libra.attack.conversation import Turns
from libra.attack.proto_mapping import to_messages
from libra.core.adjustment_text import adjusted_text
from libra.core.errors import CallerError
from libra.rpc.client import call
from libra.stage.batch import shared_within
from libra.v1.batch_pb2 import BatchHeader
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters
from libra.v1.gateway_pb2 import CompleteRequest, Conversation
from libra.v1.gateway_pb2_grpc import GatewayServiceStub

MAX_TOKENS: Mapping[ModelRole, int] = {ModelRole.ATTACKER: 2048, ModelRole.JUDGE: 512}
"""Enough for a prompt of some pages, and for a score with a sentence and the reasoning before it."""


@dataclass(frozen=True, slots=True)
class AttackModels:
    """The models of one attack on one sample, and the target's parameters."""

    attacker: str
    target: str
    judge: str
    parameters: GenerationParameters
    """The target's parameters in its run."""

    epoch: int = 0
    fresh_for: str = ""
    budget_run: str = ""
    """The run whose budget pays for the requests; empty: the run has none."""

    @classmethod
    def from_batch(cls, header: BatchHeader, epoch: int) -> AttackModels:
        """Return the models of a trial.

        The target is asked exactly as the gateway's stage will ask it, so that the gateway finds the answer in its
        store.
        """
        return cls(
            attacker=header.attack_model,
            target=header.model,
            judge=header.attack_judge_model,
            parameters=header.parameters,
            epoch=epoch,
            fresh_for=shared_within(header),
            budget_run=header.run if header.has_budget else "",
        )

    def model_for(self, role: ModelRole) -> str:
        """Return the registered model in a role; "" for none."""
        return {ModelRole.ATTACKER: self.attacker, ModelRole.TARGET: self.target, ModelRole.JUDGE: self.judge}[role]

    def roles(self) -> frozenset[ModelRole]:
        """Return the roles for which a model is named."""
        return frozenset(role for role in ModelRole if self.model_for(role))


ConnectModels = Callable[[AttackModels], AskModel]
"""Returns the function that asks these models."""


class GatewayClient:
    """Sends conversations to the gateway, which stores the answers; limits the number of concurrent requests."""

    def __init__(self, channel: grpc.aio.Channel, timeout_seconds: float, max_concurrent: int) -> None:
        self._stub = GatewayServiceStub(channel)
        self._timeout_seconds = timeout_seconds
        # The timeout of a request starts when it is sent, so requests wait here and not in the gateway.
        self._semaphore = asyncio.Semaphore(max_concurrent)

    def connect(self, models: AttackModels) -> AskModel:
        """Return the function that asks these models."""

        async def ask_model(
            role: ModelRole, turns: Turns, *, temperature: float, json_schema: str, epoch: int
        ) -> ModelReply:
            if role is ModelRole.TARGET:
                return await self._complete(models, role, models.parameters, turns, models.epoch, models.fresh_for)
            parameters = GenerationParameters(
                temperature=temperature, max_tokens=MAX_TOKENS[role], json_schema=json_schema
            )
            return await self._complete(models, role, parameters, turns, epoch, "")

        return ask_model

    async def _complete(
        self,
        models: AttackModels,
        role: ModelRole,
        parameters: GenerationParameters,
        turns: Turns,
        epoch: int,
        fresh_for: str,
    ) -> ModelReply:
        request = CompleteRequest(
            model=models.model_for(role),
            parameters=parameters,
            conversations=[Conversation(messages=to_messages(turns), epoch=epoch)],
            fresh_for=fresh_for,
            patient=True,
            budget_run=models.budget_run,
        )
        try:
            async with self._semaphore:
                response = await call(self._stub.Complete, request, self._timeout_seconds)
        except CallerError as error:  # a retry cannot help, for instance if the model is unknown
            return ModelReply(error=error.message)
        return to_model_reply(response.completions[0])


def to_model_reply(completion: Completion) -> ModelReply:
    """Return a completion as a reply."""
    failed = completion.finish_reason == FinishReason.FINISH_REASON_ERROR
    return ModelReply(
        text=completion.text,
        error=(completion.error or "the provider gave no reason") if failed else "",
        filtered=completion.finish_reason == FinishReason.FINISH_REASON_CONTENT_FILTER,
        truncated=completion.finish_reason == FinishReason.FINISH_REASON_LENGTH,
        tokens=completion.usage.prompt_tokens + completion.usage.completion_tokens,
        cost_usd=completion.cost_usd,
        seconds=completion.latency_seconds,
        is_price_unknown=completion.price_unknown,
        adjusted=adjusted_text(completion.adjustments),
        is_usage_unknown=completion.usage_unknown,
    )
