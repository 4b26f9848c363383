"""Convert between protobuf messages and the types of the judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from libra.judge.judge_result import JudgeResult
from libra.judge.judge_type import JudgeType
from libra.judge.judged_answer import ChatMessage, JudgedAnswer
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


def to_answer(completion: Completion, messages: Iterable[Message], fields: Mapping[str, str]) -> JudgedAnswer:
    """Return the answer of a completion, without its reasoning."""
    return JudgedAnswer(
        text=strip_reasoning(completion.text),
        messages=tuple(ChatMessage(message.role, message.content) for message in messages),
        fields=dict(fields),
        filtered=completion.finish_reason == FINISH_REASON_CONTENT_FILTER,
    )


def to_verdict(completion: Completion, result: JudgeResult, judge: JudgeVersion) -> Verdict:
    """Return the verdict on an answer."""
    return Verdict(
        outcome=outcome_of(completion, result),
        score=result.score or 0.0,
        label=result.label,
        judge=judge,
        rationale=result.reason,
        completion_id=completion.id,
        fields=result.fields,
    )


def failed_verdict(completion: Completion, judge: JudgeVersion) -> Verdict:
    """Return the verdict of a trial without an answer: FAILED, with the completion's error."""
    reason = completion.error or "the provider gave no answer and no reason"
    return Verdict(outcome=OUTCOME_FAILED, judge=judge, rationale=reason)


def has_no_answer(completion: Completion) -> bool:
    """Tell whether a completion has no answer."""
    return completion.finish_reason == FINISH_REASON_ERROR


def outcome_of(completion: Completion, result: JudgeResult) -> Outcome.ValueType:
    """Return the outcome of a trial that has an answer."""
    if result.score is None:
        return OUTCOME_UNJUDGED
    if completion.finish_reason == FINISH_REASON_CONTENT_FILTER:
        return OUTCOME_FILTERED
    return OUTCOME_SCORED


def judge_version(judge_type: JudgeType, rubric_hash: str) -> JudgeVersion:
    """Return the identity of a judge with its options."""
    return JudgeVersion(name=judge_type.name, version=judge_type.version, rubric_hash=rubric_hash)


def to_proto(judge_type: JudgeType) -> judge_pb2.Judge:
    """Return a judge type as the service lists it."""
    return judge_pb2.Judge(
        name=judge_type.name,
        version=judge_type.version,
        description=judge_type.description,
        options=[
            judge_pb2.JudgeOption(
                name=option.name, description=option.description, required=option.required, values=option.values
            )
            for option in judge_type.options
        ],
        labels=judge_type.labels,
        asks_model=judge_type.asks_model,
    )
