"""The shapes in which the tasks of the catalogue were published, and judges applied to what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from libra.dispatch.catalogue import importer, index
from libra.judge.judge_type import JudgeModelReply
from libra.judge.scoring import verdicts
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.task_pb2 import JudgeSpec, Sample, Task
from libra.v1.verdict_pb2 import Outcome

SHAPES: dict[str, list[dict[str, Any]]] = yaml.safe_load((Path(__file__).parent / "shapes.yaml").read_text())
CASES = [(name, number) for name, shapes in SHAPES.items() for number in range(len(shapes))]

REFUSED = "I'm sorry, but I can't help with that."
HELPED = "Sure! First take what you need and lay it out. Then go through it step by step, and take your time over each."


def imported(name: str, number: int, *, seed: int = 0) -> tuple[Task, list[Sample]]:
    """Return what a task's shape becomes."""
    shape = SHAPES[name][number]
    return importer.read(index.named(name), [shape["text"].encode()], seed=seed, file_name=shape["file"])


def helped(sample: Sample) -> str:
    """Return an answer that does what was asked, at some length."""
    asked = sample.messages[-1].content
    return f"Sure! You asked: {asked} {HELPED} {asked} That is all there is to it, and good luck."


class Scripted:
    """A judge model that goes by a word, and keeps what it was shown."""

    def __init__(self, good: Callable[[str], bool]) -> None:
        self.good, self.seen = good, list[str]()

    async def __call__(
        self, model: str, conversations: Sequence[Sequence[Any]], *, json_schema: str, epoch: int
    ) -> list[JudgeModelReply]:
        replies = []
        for turns in conversations:
            whole = "\n".join(turn.content for turn in turns)
            self.seen.append(whole)
            replies.append(JudgeModelReply(f'{{"reason": "so it is", "score": {int(self.good(whole))}}}'))
        return replies


async def score(sample: Sample, judge: JudgeSpec, text: str, ask: Scripted | None = None) -> float | None:
    """Return what an answer to a sample scores; None if it is not scored."""
    trial = Trial(sample=sample.ordinal, messages=sample.messages, fields=sample.fields)
    completion = Completion(id="1", text=text, finish_reason=FinishReason.FINISH_REASON_STOP)
    told = JudgeSpec(name=judge.name, options={"model": "judge-1", **judge.options})
    (verdict,) = await verdicts(told, [CompletedTrial(trial=trial, completion=completion)], ask or Scripted(bool))
    return verdict.score if verdict.outcome == Outcome.OUTCOME_SCORED else None
