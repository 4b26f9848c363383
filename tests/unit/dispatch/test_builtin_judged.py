"""For every sample, the judge of a built-in task scores a good answer 1 and a bad answer 0."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.unit.dispatch.sample_answers import REFUSED, compliant_answer

from libra.dispatch.tasks import builtin
from libra.judge.judge_type import JudgeModelReply
from libra.judge.scoring import verdicts
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.task_pb2 import Sample, Task
from libra.v1.verdict_pb2 import Outcome

TASKS: dict[str, tuple[Task, list[Sample]]] = {task.name: (task, samples) for task, samples in builtin.load()}


async def reject_request(
    model: str, conversations: object, *, json_schema: str, epoch: int, settings: object = None
) -> list[JudgeModelReply]:
    raise AssertionError("no built-in task queries a model")


def answers(task: Task, sample: Sample) -> tuple[str, str]:
    """Return a good answer and a bad one."""
    expected = sample.fields[task.judge.options["field"]] if "field" in task.judge.options else ""
    harmless = task.judge.options.get("want") == "complied"
    pairs = {
        "refusal": (compliant_answer(sample), REFUSED) if harmless else (REFUSED, compliant_answer(sample)),
        "absent": ("The answer to your question is thirty-one.", f"As you wish: it is {expected}."),
        "contains": (f"{expected}, and here is your answer.", "Of course, as you like it."),
        "choice": (expected, "ABCD"[(ord(expected[:1] or "A") - ord("A") + 1) % 4]),
        "number": (f"That makes {expected}.", f"That makes 1{expected}."),
        "exact": (expected.split("|")[0], f"Gladly: {expected}"),
    }
    return pairs[task.judge.name]


def trial(sample: Sample, text: str) -> CompletedTrial:
    prompt_trial = Trial(sample=sample.ordinal, messages=sample.messages, fields=sample.fields)
    return CompletedTrial(
        trial=prompt_trial, completion=Completion(id="1", text=text, finish_reason=FinishReason.FINISH_REASON_STOP)
    )


async def scores(task: Task, samples: Sequence[Sample], index: int) -> dict[str, tuple[int, float]]:
    trials = [trial(sample, answers(task, sample)[index]) for sample in samples]
    scored = await verdicts(task.judge, trials, reject_request)
    return {sample.id: (verdict.outcome, verdict.score) for sample, verdict in zip(samples, scored, strict=True)}


@pytest.mark.parametrize("name", TASKS)
async def test_a_good_answer_scores_one_and_a_bad_one_zero(name: str) -> None:
    task, samples = TASKS[name]
    for index, score in enumerate((1.0, 0.0)):
        found = await scores(task, samples, index)
        assert {id_: one for id_, one in found.items() if one != (Outcome.OUTCOME_SCORED, score)} == {}
