"""The interfaces of judging: a type of judge in the registry, a judge ready for use, and the client of judge models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from libra.judge.judge_result import JudgeResult
from libra.judge.judged_answer import ChatMessage, JudgedAnswer
from libra.judge.options import JudgeOption


@dataclass(frozen=True, slots=True)
class JudgeModelReply:
    """The text of a judge model, or the error in its place."""

    text: str
    error: str = ""
    truncated: bool = False
    """Whether the text was cut off by the limit of tokens."""

    adjusted: str = ""
    """Parameters that the judge model's endpoint refuses and that are therefore sent otherwise; usually empty."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    is_usage_unknown: bool = False
    """Whether the provider did not count the tokens."""


@dataclass(frozen=True, slots=True)
class JudgeModelSettings:
    """The settings of requests to a judge model."""

    max_tokens: int = 512
    """A score and a sentence take about 60; models that reason take more."""

    temperature: float = 0.0
    reasoning_effort: str = ""
    """Amount of reasoning, in its provider's words; empty: as in its registration."""


DEFAULT_SETTINGS = JudgeModelSettings()


class JudgeModelClient(Protocol):
    """Sends conversations to a judge model."""

    async def __call__(
        self,
        model: str,
        conversations: Sequence[Sequence[ChatMessage]],
        *,
        json_schema: str,
        epoch: int,
        settings: JudgeModelSettings = DEFAULT_SETTINGS,
    ) -> list[JudgeModelReply]:
        """Return one reply for each conversation, in order.

        An equal conversation is sent once for each `epoch`. Raises Unavailable if no model can be reached
        now.
        """
        ...


@runtime_checkable
class FreshClient(Protocol):
    """A client of judge models that can leave stored replies aside."""

    def with_fresh_replies(self, fresh_for: str) -> JudgeModelClient:
        """Return a client that uses a stored reply only if it was requested with the same value of `fresh_for`."""
        ...


def with_fresh_replies(client: JudgeModelClient, fresh_for: str) -> JudgeModelClient:
    """Return the client without the replies that were stored for others; itself if it stores none."""
    return client.with_fresh_replies(fresh_for) if isinstance(client, FreshClient) else client


@runtime_checkable
class PaidClient(Protocol):
    """A client of judge models whose requests a run's budget can pay for."""

    def with_budget_of(self, run: str) -> JudgeModelClient:
        """Return a client whose requests the budget of this run pays for."""
        ...


def with_budget_of(client: JudgeModelClient, run: str) -> JudgeModelClient:
    """Return the client whose requests the budget of this run pays for; itself if its requests cost nothing."""
    return client.with_budget_of(run) if isinstance(client, PaidClient) else client


class AnswerJudge(Protocol):
    """A judge with its options set, ready for use."""

    async def judge(self, answers: Sequence[JudgedAnswer], model_client: JudgeModelClient) -> list[JudgeResult]:
        """Return one result for each answer, in order. A failure on one answer does not affect the others."""
        ...


def no_delegates(_: Mapping[str, str]) -> tuple[JudgeType, ...]:
    """Return nothing: the judge uses no other judge."""
    return ()


def asks_no_model(_: Mapping[str, str]) -> tuple[str, ...]:
    """Return nothing: the judge asks no model."""
    return ()


@dataclass(frozen=True, slots=True)
class JudgeType:
    """A type of judge, as the registry lists it."""

    name: str

    version: str
    """Must change whenever a code change can change a result."""

    description: str
    """States what scores 1, how an empty and a filtered answer are scored, and when the judge cannot tell."""

    options: tuple[JudgeOption, ...]
    labels: tuple[str, ...]

    build: Callable[[Mapping[str, str]], AnswerJudge]
    """Takes the checked value of every option and returns a judge."""

    aim_labels: frozenset[str] = frozenset()
    """The labels of a rule that also hold under an attack that rewrites the request: `judge_factory.AimedRule`."""

    model_names: Callable[[Mapping[str, str]], tuple[str, ...]] = asks_no_model
    """Takes valid options and returns the registered names of the models that the judge asks."""

    delegates: Callable[[Mapping[str, str]], tuple[JudgeType, ...]] = no_delegates
    """Takes options, valid or not, and returns the judges that this judge uses. Their versions are part of its hash."""

    @property
    def asks_model(self) -> bool:
        """Whether the judge may ask a model."""
        return self.model_names is not asks_no_model
