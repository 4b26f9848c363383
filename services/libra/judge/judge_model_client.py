"""Ask judge models, through the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import grpc.aio

from libra.errors import CallerError
from libra.judge.answer import Turn
from libra.judge.judge_type import Reply
from libra.rpc.client import call
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters
from libra.v1.gateway_pb2 import CompleteRequest, Conversation
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.message_pb2 import Message

MOST_CONVERSATIONS = 64
"""In one request to the gateway."""

MAX_TOKENS = 512
"""A score and a sentence take some 60; models that reason aloud take more."""


class GatewayAsk:
    """Puts questions to judge models; the gateway keeps the answers, so that the same question is asked once."""

    def __init__(self, gateway: grpc.aio.Channel, timeout_seconds: float) -> None:
        self._gateway = GatewayServiceStub(gateway)
        self._timeout_seconds = timeout_seconds

    async def __call__(
        self, model: str, conversations: Sequence[Sequence[Turn]], *, json_schema: str, epoch: int
    ) -> list[Reply]:
        """Return a reply to each conversation, in their order. Raises Unavailable if the gateway cannot be reached."""
        parts = [conversations[at : at + MOST_CONVERSATIONS] for at in range(0, len(conversations), MOST_CONVERSATIONS)]
        replies = await asyncio.gather(*(self._complete(model, part, json_schema, epoch) for part in parts))
        return [reply for part in replies for reply in part]

    async def _complete(
        self, model: str, conversations: Sequence[Sequence[Turn]], json_schema: str, epoch: int
    ) -> list[Reply]:
        request = CompleteRequest(
            model=model,
            parameters=GenerationParameters(temperature=0.0, max_tokens=MAX_TOKENS, json_schema=json_schema),
            conversations=[
                Conversation(messages=[Message(role=turn.role, content=turn.content) for turn in turns], epoch=epoch)
                for turns in conversations
            ],
        )
        try:
            response = await call(self._gateway.Complete, request, self._timeout_seconds)
        except CallerError as error:  # to ask again would change nothing: the model is unknown, say
            return [Reply("", error.message)] * len(conversations)
        return [reply(completion) for completion in response.completions]


def reply(completion: Completion) -> Reply:
    """Return what a judge model said, or why it said nothing."""
    match completion.finish_reason:
        case FinishReason.FINISH_REASON_ERROR:
            return Reply("", completion.error or "the provider gave no reason")
        case FinishReason.FINISH_REASON_CONTENT_FILTER:
            return Reply("", "its provider's filter stopped it")
        case _:
            return Reply(completion.text)
