"""Counts what the models of a judge use for a batch."""

from __future__ import annotations

from collections.abc import Sequence

from libra.judge.judge_type import DEFAULT_SETTINGS, JudgeModelClient, JudgeModelReply, JudgeModelSettings
from libra.judge.judged_answer import ChatMessage
from libra.v1.batch_pb2 import JudgeUsage


class UsageMeter:
    """A client of judge models that adds up the requests and tokens of the replies, by model."""

    def __init__(self, client: JudgeModelClient) -> None:
        self._client = client
        self._usage: dict[str, JudgeUsage] = {}

    @property
    def usage(self) -> list[JudgeUsage]:
        """Requests and tokens so far, in order of model. A reply without a text counts as a request without tokens."""
        return [self._usage[model] for model in sorted(self._usage)]

    async def __call__(
        self,
        model: str,
        conversations: Sequence[Sequence[ChatMessage]],
        *,
        json_schema: str,
        epoch: int,
        settings: JudgeModelSettings = DEFAULT_SETTINGS,
    ) -> list[JudgeModelReply]:
        """Return one reply for each conversation; see JudgeModelClient."""
        replies = await self._client(model, conversations, json_schema=json_schema, epoch=epoch, settings=settings)
        used = self._usage.setdefault(model, JudgeUsage(model=model))
        used.requests += len(replies)
        used.prompt_tokens += sum(reply.prompt_tokens for reply in replies)
        used.completion_tokens += sum(reply.completion_tokens for reply in replies)
        used.unknown_usage += sum(reply.is_usage_unknown for reply in replies)
        return replies
