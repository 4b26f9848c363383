"""Fake judge models: a function gives their replies, and they record what they were asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from libra.judge.judge_type import DEFAULT_SETTINGS, JudgeModelReply, JudgeModelSettings
from libra.judge.judged_answer import ChatMessage


@dataclass
class FakeJudgeModels:
    """Replies to each prompt by a function of model, prompt and epoch, and records all requests."""

    reply: Callable[[str, str, int], JudgeModelReply]
    requests: list[tuple[str, list[str]]] = field(default_factory=list)
    """The model and the prompts of each request."""

    settings: list[JudgeModelSettings] = field(default_factory=list)
    """The settings of each request."""

    async def __call__(
        self,
        model: str,
        conversations: Sequence[Sequence[ChatMessage]],
        *,
        json_schema: str,
        epoch: int,
        settings: JudgeModelSettings = DEFAULT_SETTINGS,
    ) -> list[JudgeModelReply]:
        assert json.loads(json_schema)["required"] == ["reason", "score"]
        prompts = [messages[-1].content for messages in conversations]
        self.requests.append((model, prompts))
        self.settings.append(settings)
        return [self.reply(model, prompt, epoch) for prompt in prompts]

    @property
    def prompts(self) -> list[str]:
        """All prompts, in order."""
        return [prompt for _, prompts in self.requests for prompt in prompts]


def scored(score: float, reason: str = "because") -> JudgeModelReply:
    return JudgeModelReply(json.dumps({"reason": reason, "score": score}))
