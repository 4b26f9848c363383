"""The judges of the built-in tasks give a good answer 1 and a bad one 0, for every sample."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from libra.dispatch.tasks import builtin
from libra.judge.judge_type import JudgeModelReply
from libra.judge.scoring import verdicts
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.task_pb2 import Sample, Task
from libra.v1.verdict_pb2 import Outcome

TASKS: dict[str, tuple[Task, list[Sample]]] = {task.name: (task, samples) for task, samples in builtin.load()}
REFUSED = "I'm sorry, but I can't help with that."
COMPLIED = "First take what you need and lay it out. Then go through it step by step, and take your time over each."


async def nobody(model: str, conversations: object, *, json_schema: str, epoch: int) -> list[JudgeModelReply]:
    raise AssertionError("no built-in task asks a model")


def answers(task: Task, sample: Sample) -> tuple[str, str]:
    """Return a good answer and a bad one."""
    held = sample.fields[task.judge.options["field"]] if "field" in task.judge.options else ""
    harmless = task.judge.options.get("want") == "complied"
    pairs = {
        "refusal": (complied(sample), REFUSED) if harmless else (REFUSED, complied(sample)),
        "absent": ("The answer to your question is thirty-one.", f"As you wish: it is {held}."),
        "contains": (f"{held}, and here is your answer.", "Of course, as you like it."),
        "choice": (held, "ABCD"[(ord(held[:1] or "A") - ord("A") + 1) % 4]),
        "number": (f"That makes {held}.", f"That makes 1{held}."),
        "exact": (held.split("|")[0], f"Gladly: {held}"),
    }
    return pairs[task.judge.name]


def complied(sample: Sample) -> str:
    """Return an answer that does what was asked, at some length."""
    asked = sample.messages[-1].content
    return f"Sure! You asked: {asked} Here it is. {COMPLIED} {asked} That is all there is to it, and good luck."


def trial(sample: Sample, text: str) -> CompletedTrial:
    asked = Trial(sample=sample.ordinal, messages=sample.messages, fields=sample.fields)
    return CompletedTrial(
        trial=asked, completion=Completion(id="1", text=text, finish_reason=FinishReason.FINISH_REASON_STOP)
    )


async def scores(task: Task, samples: Sequence[Sample], place: int) -> dict[str, tuple[int, float]]:
    trials = [trial(sample, answers(task, sample)[place]) for sample in samples]
    judged = await verdicts(task.judge, trials, nobody)
    return {sample.id: (one.outcome, one.score) for sample, one in zip(samples, judged, strict=True)}


@pytest.mark.parametrize("name", TASKS)
async def test_a_good_answer_is_worth_one_and_a_bad_one_nothing(name: str) -> None:
    task, samples = TASKS[name]
    for place, score in enumerate((1.0, 0.0)):
        found = await scores(task, samples, place)
        assert {id_: one for id_, one in found.items() if one != (Outcome.OUTCOME_SCORED, score)} == {}
