"""A simulated provider that fails at random, by its seed, and records every request."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from dataclasses import dataclass, field

from libra.gateway.completion.key import completion_id
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.testing.killable_process import KillableProcess
from libra.v1.completion_pb2 import FinishReason

TIMEOUT_SECONDS = 20.0
ATTACK_MODEL = "writer"
"""The model that writes attack prompts; four of five of its answers are usable."""

PROMPT = re.compile(r"\b[a-z]+ \d(?=\?)")
"""The subject of a sample's prompt."""


@dataclass
class ProviderRequest:
    """One request."""

    completion: str
    """The id of the completion that its answer becomes."""

    process: KillableProcess
    started_seconds: float
    answered: bool = False
    interrupted: bool = False
    """The process ended before the response."""


@dataclass(frozen=True)
class ResponseRates:
    """Probabilities of the responses other than an answer."""

    failed: float = 0.1
    slow_down: float = 0.05
    timeout: float = 0.02
    final: float = 0.03
    filtered: float = 0.1


@dataclass
class SimulatedProvider:
    """Gives the same response to the same request at the same attempt, whichever process sends it, and when."""

    seed: int
    limit: int
    rates: ResponseRates = field(default_factory=ResponseRates)
    requests: list[ProviderRequest] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)
    in_flight: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    async def ask(self, completion_request: CompletionRequest, process: KillableProcess) -> ProviderResult:
        request = ProviderRequest(completion_id(completion_request), process, asyncio.get_running_loop().time())
        self.requests.append(request)
        self.attempts[request.completion] += 1
        result, seconds = self._draw_result(request.completion)
        if completion_request.model.name == ATTACK_MODEL:
            result = self._as_rewording(completion_request, result)
        key = (process.name, completion_request.model.name)
        self.in_flight[key] += 1
        if self.in_flight[key] > self.limit:
            self.violations.append(f"{key} has {self.in_flight[key]} requests in flight; the limit is {self.limit}")
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            request.interrupted = True
            raise
        finally:
            self.in_flight[key] -= 1
        request.answered = isinstance(result, ProviderAnswer)
        return result

    def _as_rewording(self, completion_request: CompletionRequest, result: ProviderResult) -> ProviderResult:
        """Return the answer as a rewording that an attack can use, in four of five cases."""
        prompts = PROMPT.findall(completion_request.messages[-1].content)
        if (
            not isinstance(result, ProviderAnswer)
            or not result.text
            or random.Random(f"{self.seed}/{prompts}").random() < 0.2
        ):
            return result
        return result._replace(text=f"How was it with {prompts[-1]} back then?")

    def _draw_result(self, completion: str) -> tuple[ProviderResult, float]:
        rng = random.Random(f"{self.seed}/{completion}/{self.attempts[completion]}")
        seconds, drawn, rates = rng.random() * rng.choice([0.2, 1, 5]), rng.random(), self.rates
        for chance, fault in (
            (rates.failed, ProviderFault("the provider failed", FaultKind.PASSING)),
            (
                rates.slow_down,
                ProviderFault("the provider said slow down", FaultKind.SLOW_DOWN, rng.choice([None, 3.0])),
            ),
            (rates.final, ProviderFault("the provider said no", FaultKind.FINAL)),
            (rates.timeout, ProviderFault("the provider was silent", FaultKind.TIMEOUT)),
        ):
            if drawn < chance:
                return fault, TIMEOUT_SECONDS if fault.kind is FaultKind.TIMEOUT else seconds
            drawn -= chance
        if drawn < rates.filtered:
            return ProviderAnswer("", FinishReason.FINISH_REASON_CONTENT_FILTER), seconds
        return ProviderAnswer(rng.choice(["yes", "no"]), FinishReason.FINISH_REASON_STOP, 7, 1), seconds


@dataclass(frozen=True)
class ProcessProvider:
    """The provider as one process reaches it, in place of `libra.gateway.provider.registry.Providers`."""

    provider: SimulatedProvider
    process: KillableProcess

    async def ask(self, completion_request: CompletionRequest) -> ProviderResult:
        return await self.process(lambda: self.provider.ask(completion_request, self.process))

    async def close(self) -> None:
        """Do nothing: there is no connection."""
