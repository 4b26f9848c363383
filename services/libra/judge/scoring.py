"""Score completed trials with a judge: the one path from answers to verdicts, for the stage and the service."""

from __future__ import annotations

from collections.abc import Sequence

from libra.core.errors import Invalid
from libra.judge.incomplete_answers import RISKY_CATEGORIES, settle_incomplete
from libra.judge.judge_factory import build_judge, rubric_hash_of
from libra.judge.judge_result import JudgeResult, cannot_tell
from libra.judge.judge_type import JudgeModelClient
from libra.judge.judges.composite.by_aim import judge_by_aim
from libra.judge.proto_mapping import failed_verdict, has_no_answer, judge_version, to_answer, to_verdict
from libra.judge.registry import judge_type_named
from libra.v1.batch_pb2 import CompletedTrial
from libra.v1.task_pb2 import Category, JudgeSpec
from libra.v1.verdict_pb2 import JudgeVersion, Verdict


async def verdicts(
    spec: JudgeSpec,
    trials: Sequence[CompletedTrial],
    model_client: JudgeModelClient,
    category: int = Category.CATEGORY_UNSPECIFIED,
    aim_judge_model: str = "",
) -> list[Verdict]:
    """Return one verdict for each trial, in order. `category` is the one that the trials count in, if it is known.

    A trial without an answer is FAILED. If the judge's options are invalid, the other trials are UNJUDGED, because a
    retry would not help. `aim_judge_model` is asked where a rule cannot judge an attack that rewrites the request.

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
        is_risky = category in RISKY_CATEGORIES
        answers = [to_answer(trial.completion, trial.trial, is_risky=is_risky) for trial in answered]
        judged = await configured.answer_judge.judge(answers, model_client)
        judged = await judge_by_aim(answers, judged, model_client, aim_judge_model)
        results = [settle_incomplete(answer, result) for answer, result in zip(answers, judged, strict=True)]
    version = judge_version(judge_type, rubric_hash_of(judge_type, spec.options))
    remaining = iter(results)
    return [_verdict(trial, None if has_no_answer(trial.completion) else next(remaining), version) for trial in trials]


def _verdict(trial: CompletedTrial, result: JudgeResult | None, version: JudgeVersion) -> Verdict:
    if result is None:
        return failed_verdict(trial.completion, version)
    return to_verdict(trial.completion, result, version)
