"""A provider over real HTTP whose script can be changed, and requests to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from libra.gateway.components import Components
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.settings import Settings
from libra.testing.scripted_provider import Behaviour, Script, ScriptedProvider, in_turn, says
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, ModelPrice, Provider

KEY = "sk-test-7c1f0a9be24d4c5fa1"
FAST = Settings(
    retry_attempts=3,
    retry_timeouts=2,
    retry_base_seconds=0.01,
    retry_most_seconds=0.02,
    retry_budget_seconds=0.5,
    retry_after_most_seconds=5.0,
    allowed_networks="loopback",
    park_most_seconds=0.05,
    park_quota_most_seconds=0.05,
)
STOP = FinishReason.FINISH_REASON_STOP
ERROR = FinishReason.FINISH_REASON_ERROR
FILTER = FinishReason.FINISH_REASON_CONTENT_FILTER
YES = says("yes")


@dataclass
class Endpoint:
    """A provider whose script can be changed while it serves."""

    script: Script = field(default_factory=lambda: in_turn(says("yes")))
    provider: ScriptedProvider = field(init=False)
    since: int = 0
    """Requests that arrived before the script was set."""

    def __post_init__(self) -> None:
        self.provider = ScriptedProvider(lambda asked: self.script(replace(asked, number=asked.number - self.since)))

    def play(self, *behaviours: Behaviour) -> None:
        self.follow(in_turn(*behaviours))

    def follow(self, script: Script) -> None:
        self.script, self.since = script, self.count

    @property
    def url(self) -> str:
        return self.provider.url

    @property
    def count(self) -> int:
        return self.provider.count

    @property
    def arrivals(self) -> list[float]:
        return [asked.at_seconds for asked in self.provider.requests]


def answers(body: bytes, status: int = 200, **headers: str) -> Behaviour:
    return Behaviour(body, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def model_of(endpoint: Endpoint, **limits: float) -> Model:
    return Model(
        name="m",
        provider=Provider.PROVIDER_OPENAI,
        base_url=endpoint.url,
        api_key_env="TEST_API_KEY",
        limits=ModelLimits(**{"timeout_seconds": 5, **limits}),  # type: ignore[arg-type]  # integers where they must be
        price=ModelPrice(usd_per_million_prompt_tokens=1.0, usd_per_million_completion_tokens=2.0),
    )


def requests(model: Model, *texts: str, **shape: Any) -> list[CompletionRequest]:
    parameters = GenerationParameters(**shape)
    return [CompletionRequest(model, parameters, (Message(role="user", content=text),)) for text in texts]


async def ask(components: Components, model: Model, *texts: str, **shape: Any) -> list[Completion]:
    async with asyncio.timeout(20):
        return await components.completer.complete(requests(model, *texts, **shape), Lane.BATCH)


async def one(components: Components, model: Model, text: str = "hello") -> Completion:
    return (await ask(components, model, text))[0]
