"""Between the protos' messages and what judges work on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from libra.judge.answer import Answer, Turn
from libra.judge.judge_type import JudgeType
from libra.judge.ruling import Ruling
from libra.prompting.reasoning import strip_reasoning
from libra.v1 import judge_pb2
from libra.v1.completion_pb2 import FINISH_REASON_CONTENT_FILTER, FINISH_REASON_ERROR, Completion
from libra.v1.message_pb2 import Message
from libra.v1.verdict_pb2 import (
    OUTCOME_FAILED,
    OUTCOME_FILTERED,
    OUTCOME_SCORED,
    OUTCOME_UNJUDGED,
    JudgeVersion,
    Outcome,
    Verdict,
)


def to_answer(completion: Completion, messages: Iterable[Message], fields: Mapping[str, str]) -> Answer:
    """Return an answer, without its reasoning, as judges see it."""
    return Answer(
        text=strip_reasoning(completion.text),
        turns=tuple(Turn(message.role, message.content) for message in messages),
        fields=dict(fields),
        filtered=completion.finish_reason == FINISH_REASON_CONTENT_FILTER,
    )


def to_verdict(completion: Completion, ruling: Ruling, judge: JudgeVersion) -> Verdict:
    """Return the verdict on an answer: outcome, score, label, judge, rationale, completion and the judge's own fields."""
    return Verdict(
        outcome=outcome(completion, ruling),
        score=ruling.score or 0.0,
        label=ruling.label,
        judge=judge,
        rationale=ruling.reason,
        completion_id=completion.id,
        fields=ruling.fields,
    )


def failed(completion: Completion, judge: JudgeVersion) -> Verdict:
    """Return the verdict where there is no answer: FAILED, because of the completion's error."""
    reason = completion.error or "the provider gave no answer and no reason"
    return Verdict(outcome=OUTCOME_FAILED, judge=judge, rationale=reason)


def is_missing(completion: Completion) -> bool:
    """Tell whether there is no answer."""
    return completion.finish_reason == FINISH_REASON_ERROR


def outcome(completion: Completion, ruling: Ruling) -> Outcome.ValueType:
    """Return how a trial ended that has an answer."""
    if ruling.score is None:
        return OUTCOME_UNJUDGED
    if completion.finish_reason == FINISH_REASON_CONTENT_FILTER:
        return OUTCOME_FILTERED
    return OUTCOME_SCORED


def version(kind: JudgeType, rubric_hash: str) -> JudgeVersion:
    """Return what tells this way of judging from others."""
    return JudgeVersion(name=kind.name, version=kind.version, rubric_hash=rubric_hash)


def to_proto(kind: JudgeType) -> judge_pb2.Judge:
    """Return a judge as the service shows it."""
    return judge_pb2.Judge(
        name=kind.name,
        version=kind.version,
        description=kind.description,
        options=[
            judge_pb2.JudgeOption(
                name=option.name, description=option.description, required=option.required, values=option.values
            )
            for option in kind.options
        ],
        labels=kind.labels,
        asks_model=kind.asks_model,
    )
