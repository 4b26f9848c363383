"""Convert between protobuf messages and the types of the judges."""

from __future__ import annotations

from collections.abc import Iterable

from libra.core.adjustment_text import ADJUSTED_FIELD, adjusted_text
from libra.core.attack_fields import REWRITES, YES
from libra.core.response_names import CATEGORY_FIELD, RESPONSE_FIELD, USAGE_FIELD, response_name
from libra.judge.judge_result import JudgeResult
from libra.judge.judge_type import JudgeType
from libra.judge.judged_answer import ChatMessage, JudgedAnswer
from libra.prompting.reasoning import strip_reasoning
from libra.v1 import judge_pb2
from libra.v1.batch_pb2 import Trial
from libra.v1.completion_pb2 import (
    FINISH_REASON_CONTENT_FILTER,
    FINISH_REASON_ERROR,
    FINISH_REASON_LENGTH,
    RESPONSE_CLASS_ANSWERED,
    RESPONSE_CLASS_BLOCKED_INPUT,
    RESPONSE_CLASS_BLOCKED_OUTPUT,
    RESPONSE_CLASS_FAILED,
    RESPONSE_CLASS_REFUSED,
    RESPONSE_CLASS_TOOL_CALLS,
    RESPONSE_CLASS_TRUNCATED,
    RESPONSE_CLASS_UNSPECIFIED,
    Completion,
    ResponseClass,
)
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

CLASSES_BY_FINISH_REASON = {
    FINISH_REASON_CONTENT_FILTER: RESPONSE_CLASS_BLOCKED_OUTPUT,
    FINISH_REASON_LENGTH: RESPONSE_CLASS_TRUNCATED,
    FINISH_REASON_ERROR: RESPONSE_CLASS_FAILED,
}
"""The classes of completions that were stored before there were classes."""

NOTES = {
    RESPONSE_CLASS_REFUSED: "the model refused",
    RESPONSE_CLASS_BLOCKED_INPUT: "the provider blocked the request",
    RESPONSE_CLASS_BLOCKED_OUTPUT: "the provider blocked the answer",
    RESPONSE_CLASS_TRUNCATED: "the answer was cut off",
    RESPONSE_CLASS_TOOL_CALLS: "the model called tools and wrote no text",
}
"""Words in a verdict's reason for a response that is not simply an answer."""


def to_answer(completion: Completion, trial: Trial, *, is_risky: bool = False) -> JudgedAnswer:
    """Return the answer of a completion, without its reasoning."""
    found, fields, aim = response_class(completion), trial.fields, trial.aim
    return JudgedAnswer(
        text=strip_reasoning(completion.text),
        messages=_to_chat(trial.messages),
        fields={name: fields[name] for name in fields},
        filtered=completion.finish_reason == FINISH_REASON_CONTENT_FILTER or found == RESPONSE_CLASS_REFUSED,
        truncated=completion.finish_reason == FINISH_REASON_LENGTH,
        lacks_text=found == RESPONSE_CLASS_TOOL_CALLS,
        aim=_to_chat(aim) if aim else (),
        rewritten=bool(aim) and fields.get(REWRITES) == YES,
        is_risky=is_risky,
    )


def _to_chat(messages: Iterable[Message]) -> tuple[ChatMessage, ...]:
    return tuple([ChatMessage(message.role, message.content) for message in messages])


def to_verdict(completion: Completion, result: JudgeResult, judge: JudgeVersion) -> Verdict:
    """Return the verdict on an answer."""
    return Verdict(
        outcome=outcome_of(completion, result),
        score=result.score or 0.0,
        label=result.label,
        judge=judge,
        rationale=_reason(completion, result),
        completion_id=completion.id,
        fields={**result.fields, **response_fields(completion)},
    )


def failed_verdict(completion: Completion, judge: JudgeVersion) -> Verdict:
    """Return the verdict of a trial without an answer: FAILED, with the completion's error."""
    reason = completion.error or "the provider gave no answer and no reason"
    return Verdict(outcome=OUTCOME_FAILED, judge=judge, rationale=reason, fields=response_fields(completion))


def response_class(completion: Completion) -> ResponseClass.ValueType:
    """Return the class of the response, from the finish reason if the completion was stored without a class."""
    stored = completion.response.response_class
    if stored != RESPONSE_CLASS_UNSPECIFIED:
        return stored
    return CLASSES_BY_FINISH_REASON.get(completion.finish_reason, RESPONSE_CLASS_ANSWERED)


def response_fields(completion: Completion) -> dict[str, str]:
    """Return the verdict's fields that say what came back; none for an ordinary answer."""
    fields: dict[str, str] = {}
    response = completion.response
    if response.response_class != RESPONSE_CLASS_ANSWERED:
        found = response_class(completion)
        if found != RESPONSE_CLASS_ANSWERED:
            fields[RESPONSE_FIELD] = response_name(found)
    if response.category:
        fields[CATEGORY_FIELD] = response.category
    if completion.usage_unknown:
        fields[USAGE_FIELD] = "unknown"
    if (adjustments := completion.adjustments) and (adjusted := adjusted_text(adjustments)):
        fields[ADJUSTED_FIELD] = adjusted
    return fields


def _reason(completion: Completion, result: JudgeResult) -> str:
    """Return the judge's reason, with what came back if it was not simply an answer."""
    note = NOTES.get(response_class(completion))
    if note is None:
        return result.reason
    terms = (completion.response.category, completion.response.words)
    details = ": ".join(dict.fromkeys(term for term in terms if term))
    note = f"{note} ({details})" if details else note
    return f"{note}; {result.reason}" if result.reason else note


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
