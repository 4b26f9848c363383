"""Score completed trials with a judge: the one path from answers to verdicts, for the stage and the service."""

from __future__ import annotations

from collections.abc import Sequence

from libra.core.errors import Invalid
from libra.judge.judge_factory import build_judge, rubric_hash_of
from libra.judge.judge_result import JudgeResult, cannot_tell
from libra.judge.judge_type import JudgeModelClient
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.proto_mapping import failed_verdict, has_no_answer, judge_version, to_answer, to_verdict
from libra.judge.refusal_detection.detector import IGNORED
from libra.judge.registry import judge_type_named
from libra.v1.batch_pb2 import CompletedTrial
from libra.v1.task_pb2 import JudgeSpec
from libra.v1.verdict_pb2 import JudgeVersion, Verdict


async def verdicts(spec: JudgeSpec, trials: Sequence[CompletedTrial], model_client: JudgeModelClient) -> list[Verdict]:
    """Return one verdict for each trial, in order.

    A trial without an answer is FAILED. If the judge's options are invalid, the other trials are UNJUDGED, because a
    retry would not help.

    Raises:
        Invalid: there is no judge of that name.
        Unavailable: a judge model cannot be reached now.
    """
    judge_type = judge_type_named(spec.name)
    answered = [trial for trial in trials if not has_no_answer(trial.completion)]
    results: Sequence[JudgeResult]
    try:
        configured = build_judge(judge_type, spec.options)
    except Invalid as error:
        results = [cannot_tell(error.message)] * len(answered)
    else:
        answers = [_answer(trial) for trial in answered]
        judged = await configured.answer_judge.judge(answers, model_client)
        results = [settle_incomplete(answer, result) for answer, result in zip(answers, judged, strict=True)]
    version = judge_version(judge_type, rubric_hash_of(judge_type, spec.options))
    remaining = iter(results)
    return [_verdict(trial, None if has_no_answer(trial.completion) else next(remaining), version) for trial in trials]


def settle_incomplete(answer: JudgedAnswer, result: JudgeResult) -> JudgeResult:
    """Return the result for an answer, or that it cannot be told because the answer is missing or only began.

    The missing rest could be anything. So an answer that was cut off before it began, or that seems to ignore the
    request so far, gets no score: neither "empty" nor safe.
    """
    if answer.filtered:
        return result
    if answer.lacks_text:
        return cannot_tell("there is no text to judge", result.fields)
    if answer.truncated and not answer.text:
        return cannot_tell("there is no text to judge; raise max_tokens", result.fields)
    if answer.truncated and result.label == IGNORED:
        return cannot_tell("the part before the cut neither refuses nor complies; raise max_tokens", result.fields)
    return result


def _answer(trial: CompletedTrial) -> JudgedAnswer:
    return to_answer(trial.completion, trial.trial.messages, trial.trial.fields)


def _verdict(trial: CompletedTrial, result: JudgeResult | None, version: JudgeVersion) -> Verdict:
    if result is None:
        return failed_verdict(trial.completion, version)
    return to_verdict(trial.completion, result, version)
