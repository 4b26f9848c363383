"""A provider with moods, which remembers everything that it was asked."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from dataclasses import dataclass, field, replace

from libra.gateway.completion.key import completion_id
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.testing.killable_process import KillableProcess
from libra.v1.completion_pb2 import FinishReason

TIMEOUT_SECONDS = 20.0
WRITER = "writer"
"""The model that writes for attacks; four times of five, something of use."""

PROMPT = re.compile(r"\b[a-z]+ \d(?=\?)")
"""What the samples ask about."""


@dataclass
class Asking:
    """One request."""

    name: str
    """Of the completion that its answer becomes."""

    process: KillableProcess
    started: float
    answered: bool = False
    cut: bool = False
    """Whoever asked was gone before there was a reply."""


@dataclass(frozen=True)
class Moods:
    """How often a request fares badly; each a probability."""

    failed: float = 0.1
    slow_down: float = 0.05
    timeout: float = 0.02
    final: float = 0.03
    filtered: float = 0.1


@dataclass
class Oracle:
    """The same question at the same try fares the same, whoever asks it and when."""

    seed: int
    limit: int
    moods: Moods = field(default_factory=Moods)
    askings: list[Asking] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    in_flight: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    async def ask(self, question: CompletionRequest, process: KillableProcess) -> ProviderResult:
        asking = Asking(completion_id(question), process, asyncio.get_running_loop().time())
        self.askings.append(asking)
        self.tries[asking.name] += 1
        reply, seconds = self._fate(asking.name)
        if question.model.name == WRITER:
            reply = self._reworded(question, reply)
        place = (process.name, question.model.name)
        self.in_flight[place] += 1
        if self.in_flight[place] > self.limit:
            self.faults.append(f"{place} has {self.in_flight[place]} requests in flight; the limit is {self.limit}")
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            asking.cut = True
            raise
        finally:
            self.in_flight[place] -= 1
        asking.answered = isinstance(reply, ProviderAnswer)
        return reply

    def _reworded(self, question: CompletionRequest, reply: ProviderResult) -> ProviderResult:
        """Return the answer as one that an attack can use, now and then."""
        asked = PROMPT.findall(question.messages[-1].content)
        if (
            not isinstance(reply, ProviderAnswer)
            or not reply.text
            or random.Random(f"{self.seed}/{asked}").random() < 0.2
        ):
            return reply
        return replace(reply, text=f"How was it with {asked[-1]} back then?")

    def _fate(self, name: str) -> tuple[ProviderResult, float]:
        rng = random.Random(f"{self.seed}/{name}/{self.tries[name]}")
        seconds, mood, moods = rng.random() * rng.choice([0.2, 1, 5]), rng.random(), self.moods
        for chance, fault in (
            (moods.failed, ProviderFault("the provider failed", FaultKind.PASSING)),
            (
                moods.slow_down,
                ProviderFault("the provider said slow down", FaultKind.SLOW_DOWN, rng.choice([None, 3.0])),
            ),
            (moods.final, ProviderFault("the provider said no", FaultKind.FINAL)),
            (moods.timeout, ProviderFault("the provider was silent", FaultKind.TIMEOUT)),
        ):
            if mood < chance:
                return fault, TIMEOUT_SECONDS if fault.kind is FaultKind.TIMEOUT else seconds
            mood -= chance
        if mood < moods.filtered:
            return ProviderAnswer("", FinishReason.FINISH_REASON_CONTENT_FILTER), seconds
        return ProviderAnswer(rng.choice(["yes", "no"]), FinishReason.FINISH_REASON_STOP, 7, 1), seconds


@dataclass(frozen=True)
class Window:
    """As `libra.gateway.provider.registry.Providers`, for one process."""

    oracle: Oracle
    process: KillableProcess

    async def ask(self, question: CompletionRequest) -> ProviderResult:
        return await self.process(lambda: self.oracle.ask(question, self.process))

    async def close(self) -> None:
        """Nothing is open."""
