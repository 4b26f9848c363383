"""Shows what a judge sends to its models, without sending it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from libra.judge.judge_type import DEFAULT_SETTINGS, JudgeModelReply, JudgeModelSettings
from libra.judge.judged_answer import ChatMessage
from libra.v1.judge_pb2 import JudgePrompt
from libra.v1.message_pb2 import Message

NOT_SENT = "the request was only shown, not sent"


class RecordingClient:
    """A client of judge models that records every request and answers with an error."""

    def __init__(self) -> None:
        self._prompts: Counter[tuple[str, tuple[ChatMessage, ...]]] = Counter()

    async def __call__(
        self,
        model: str,
        conversations: Sequence[Sequence[ChatMessage]],
        *,
        json_schema: str,  # noqa: ARG002 - part of the protocol
        epoch: int,  # noqa: ARG002
        settings: JudgeModelSettings = DEFAULT_SETTINGS,  # noqa: ARG002
    ) -> list[JudgeModelReply]:
        """Record the conversations."""
        self._prompts.update((model, tuple(conversation)) for conversation in conversations)
        return [JudgeModelReply("", NOT_SENT)] * len(conversations)

    @property
    def prompts(self) -> list[JudgePrompt]:
        """The different requests, in the order in which they were first made."""
        return [
            JudgePrompt(
                model=model,
                messages=[Message(role=message.role, content=message.content) for message in conversation],
                times=times,
            )
            for (model, conversation), times in self._prompts.items()
        ]
