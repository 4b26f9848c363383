"""Prepares one verdict for its page: the conversation and the change by the attack, the answer, and the facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libra.cli.render.format import dollars, enum_name, short_duration
from libra.core.attack_names import PLAIN
from libra.core.category_names import category_name
from libra.core.outcome_names import outcome_name
from libra.core.response_names import response_name
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.judge_pb2 import JudgeRequest, PreviewJudgingRequest
from libra.v1.ranking_pb2 import GetVerdictResponse
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import Verdict
from libra.web.transcript.text_diff import ComparedMessage, compare_conversations

HARMFUL = frozenset(
    {Category.CATEGORY_DIRECT_RISKY, Category.CATEGORY_ADVERSARIAL, Category.CATEGORY_INSTRUCTION_HIERARCHY}
)
"""Categories whose texts are hidden until the reader asks for them."""

Fact = tuple[str, str]
"""A name and a value."""


@dataclass(frozen=True, slots=True)
class VerdictDetails:
    """A verdict with the words that its page shows."""

    reply: GetVerdictResponse
    conversation: Sequence[ComparedMessage]
    """As the model got it, with what the attack changed."""

    @property
    def verdict(self) -> Verdict:
        """The verdict."""
        return self.reply.verdict

    @property
    def task(self) -> str:
        """The task's name."""
        return self.verdict.task.partition("@")[0]

    @property
    def outcome(self) -> str:
        """The outcome in a word."""
        return outcome_name(self.verdict.outcome)

    @property
    def category(self) -> str:
        """The category in words."""
        return category_name(self.verdict.category).replace("_", " ")

    @property
    def may_harm(self) -> bool:
        """Whether the texts are hidden until the reader asks for them."""
        return self.verdict.category in HARMFUL

    @property
    def is_attacked(self) -> bool:
        """Whether an attack changed the conversation."""
        return self.verdict.attack != PLAIN and any(message.is_changed for message in self.conversation)

    @property
    def facts(self) -> list[Fact]:
        """Facts about the request and the answer."""
        return answer_facts(self.verdict)


def prepare(reply: GetVerdictResponse) -> VerdictDetails:
    """Return the details of a verdict."""
    verdict = reply.verdict
    before = reply.plain_messages if verdict.attack != PLAIN and reply.plain_messages else verdict.messages
    after = verdict.messages or before
    return VerdictDetails(reply, compare_conversations(before, after))


def answer_facts(verdict: Verdict) -> list[Fact]:
    """Return the usage, cost and identity of an answer; those that are not known are left out."""
    facts: list[Fact] = [("stored", f"{verdict.create_time.ToDatetime():%Y-%m-%d %H:%M:%S} UTC")]
    if verdict.HasField("completion"):
        facts += _completion_facts(verdict.completion)
    if verdict.completion_id:
        facts.append(("completion", verdict.completion_id))
    return [(name, value) for name, value in facts if value]


def _completion_facts(completion: Completion) -> list[Fact]:
    usage, response = completion.usage, completion.response
    tokens = f"{usage.prompt_tokens:,} prompt + {usage.completion_tokens:,} answer"
    return [
        ("tokens", "not counted by the provider" if completion.usage_unknown else tokens),
        ("cost", "unknown" if completion.price_unknown else f"${dollars(completion.cost_usd)}"),
        ("latency", _latency(completion.latency_seconds)),
        ("finish", enum_name(FinishReason, completion.finish_reason, "FINISH_REASON_")),
        ("response", response_name(response.response_class) if response.response_class else ""),
        ("provider's words", ": ".join(part for part in (response.category, response.words) if part)),
        ("attempts", f"{completion.attempts}" if completion.attempts > 1 else ""),
        ("adjusted", ", ".join(f"{each.parameter} {each.replacement or 'dropped'}" for each in completion.adjustments)),
    ]


def _latency(seconds: float) -> str:
    """Return a latency, in milliseconds if it is short; empty if it is not known."""
    if not seconds:
        return ""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else short_duration(seconds)


def preview_request(reply: GetVerdictResponse) -> PreviewJudgingRequest | None:
    """Return the request for what the judge was shown; None if nothing was judged or it is not known."""
    verdict = reply.verdict
    if not (verdict.HasField("completion") and reply.judge.name):
        return None
    request = JudgeRequest(
        judge=reply.judge,
        messages=verdict.messages,
        fields={**reply.sample_fields, **verdict.fields},
        completion=verdict.completion,
        aim=reply.plain_messages if verdict.attack != PLAIN else (),
    )
    return PreviewJudgingRequest(request=request, category=verdict.category, judge_model=reply.judge_model)
