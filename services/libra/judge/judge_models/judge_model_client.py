"""Ask judge models through the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import grpc.aio

from libra.core.adjustment_text import adjusted_text
from libra.core.errors import CallerError
from libra.judge.judge_type import DEFAULT_SETTINGS, JudgeModelReply, JudgeModelSettings
from libra.judge.judged_answer import ChatMessage
from libra.rpc.client import call
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters
from libra.v1.gateway_pb2 import CompleteRequest, Conversation
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.message_pb2 import Message

MAX_CONVERSATIONS = 64
"""Conversations in one request to the gateway."""


class GatewayJudgeModelClient:
    """Sends conversations to judge models. The gateway stores completions, so equal ones are sent once."""

    def __init__(
        self, gateway: grpc.aio.Channel, timeout_seconds: float, fresh_for: str = "", budget_run: str = ""
    ) -> None:
        self._channel, self._gateway = gateway, GatewayServiceStub(gateway)
        self._timeout_seconds, self._fresh_for, self._budget_run = timeout_seconds, fresh_for, budget_run

    def with_fresh_replies(self, fresh_for: str) -> GatewayJudgeModelClient:
        """Return a client that uses a stored reply only if it was requested with the same value of `fresh_for`."""
        return GatewayJudgeModelClient(self._channel, self._timeout_seconds, fresh_for, self._budget_run)

    def with_budget_of(self, run: str) -> GatewayJudgeModelClient:
        """Return a client whose requests the budget of this run pays for."""
        return GatewayJudgeModelClient(self._channel, self._timeout_seconds, self._fresh_for, run)

    async def __call__(
        self,
        model: str,
        conversations: Sequence[Sequence[ChatMessage]],
        *,
        json_schema: str,
        epoch: int,
        settings: JudgeModelSettings = DEFAULT_SETTINGS,
    ) -> list[JudgeModelReply]:
        """Return one reply for each conversation, in order. Raises Unavailable if the gateway cannot be reached."""
        chunks = [
            conversations[start : start + MAX_CONVERSATIONS]
            for start in range(0, len(conversations), MAX_CONVERSATIONS)
        ]
        parameters = GenerationParameters(
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            json_schema=json_schema,
            reasoning_effort=settings.reasoning_effort,
        )
        replies = await asyncio.gather(*(self._complete(model, chunk, parameters, epoch) for chunk in chunks))
        return [reply for chunk in replies for reply in chunk]

    async def _complete(
        self, model: str, conversations: Sequence[Sequence[ChatMessage]], parameters: GenerationParameters, epoch: int
    ) -> list[JudgeModelReply]:
        request = CompleteRequest(
            model=model,
            parameters=parameters,
            conversations=[_to_conversation(messages, epoch) for messages in conversations],
            fresh_for=self._fresh_for,
            budget_run=self._budget_run,
        )
        try:
            response = await call(self._gateway.Complete, request, self._timeout_seconds)
        except CallerError as error:  # A retry would not help, for example because the model is not registered.
            return [JudgeModelReply("", error.message)] * len(conversations)
        return [_to_reply(completion) for completion in response.completions]


def _to_conversation(messages: Sequence[ChatMessage], epoch: int) -> Conversation:
    return Conversation(
        messages=[Message(role=message.role, content=message.content) for message in messages],
        epoch=epoch,
        ends_with_answer=messages[-1].role == "assistant",
    )


def _to_reply(completion: Completion) -> JudgeModelReply:
    match completion.finish_reason:
        case FinishReason.FINISH_REASON_ERROR:
            return JudgeModelReply("", completion.error or "the provider gave no reason")
        case FinishReason.FINISH_REASON_CONTENT_FILTER:
            return JudgeModelReply("", "its provider's filter stopped it")
        case finish_reason:
            return JudgeModelReply(
                completion.text,
                truncated=finish_reason == FinishReason.FINISH_REASON_LENGTH,
                adjusted=adjusted_text(completion.adjustments),
                prompt_tokens=completion.usage.prompt_tokens,
                completion_tokens=completion.usage.completion_tokens,
                is_usage_unknown=completion.usage_unknown,
            )
