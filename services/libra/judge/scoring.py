"""Turn answers into verdicts: what every judge has in common."""

from __future__ import annotations

from collections.abc import Sequence

from libra.errors import Invalid
from libra.judge.answer import Answer
from libra.judge.judge_factory import build_judge, hash_of
from libra.judge.judge_type import Ask
from libra.judge.proto_mapping import failed, is_missing, to_answer, to_verdict, version
from libra.judge.registry import kind_named
from libra.judge.ruling import Ruling, cannot_tell
from libra.v1.batch_pb2 import CompletedTrial
from libra.v1.task_pb2 import JudgeSpec
from libra.v1.verdict_pb2 import JudgeVersion, Verdict


async def verdicts(spec: JudgeSpec, trials: Sequence[CompletedTrial], ask: Ask) -> list[Verdict]:
    """Return one verdict for each trial, in their order.

    A trial without an answer is FAILED. If the judge was told something that will not do, the others are UNJUDGED, for a
    second look would not help.

    Raises:
        Invalid: there is no judge of that name.
        Unavailable: a judge model cannot be asked now.
    """
    kind = kind_named(spec.name)
    answered = [trial for trial in trials if not is_missing(trial.completion)]
    rulings: Sequence[Ruling]
    try:
        judge = build_judge(kind, spec.options)
    except Invalid as error:
        rulings = [cannot_tell(error.message)] * len(answered)
    else:
        rulings = await judge.judging.rulings([_answer(trial) for trial in answered], ask)
    known = version(kind, hash_of(kind, spec.options))
    ruled = iter(rulings)
    return [_verdict(trial, None if is_missing(trial.completion) else next(ruled), known) for trial in trials]


def _answer(trial: CompletedTrial) -> Answer:
    return to_answer(trial.completion, trial.trial.messages, trial.trial.fields)


def _verdict(trial: CompletedTrial, ruling: Ruling | None, judge: JudgeVersion) -> Verdict:
    return failed(trial.completion, judge) if ruling is None else to_verdict(trial.completion, ruling, judge)
