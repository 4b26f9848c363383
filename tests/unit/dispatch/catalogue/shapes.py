"""Published shapes of the catalogue's tasks, and the scoring of samples that are imported from them."""

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


def import_shape(name: str, number: int, *, seed: int = 0) -> tuple[Task, list[Sample]]:
    """Import the records of one shape of a task."""
    shape = SHAPES[name][number]
    return importer.import_records(index.find_card(name), [shape["text"].encode()], seed=seed, file_name=shape["file"])


class ScriptedJudgeModel:
    """A judge model that scores by a predicate on the prompt, and records the prompts."""

    def __init__(self, is_good: Callable[[str], bool]) -> None:
        self.is_good, self.prompts = is_good, list[str]()

    async def __call__(
        self,
        model: str,
        conversations: Sequence[Sequence[Any]],
        *,
        json_schema: str,
        epoch: int,
        settings: object = None,
    ) -> list[JudgeModelReply]:
        replies = []
        for turns in conversations:
            prompt = "\n".join(turn.content for turn in turns)
            self.prompts.append(prompt)
            replies.append(JudgeModelReply(f'{{"reason": "so it is", "score": {int(self.is_good(prompt))}}}'))
        return replies


async def score(
    sample: Sample, judge: JudgeSpec, text: str, judge_model: ScriptedJudgeModel | None = None
) -> float | None:
    """Return the score of an answer to a sample; None if it is not scored."""
    trial = Trial(sample=sample.ordinal, messages=sample.messages, fields=sample.fields)
    completion = Completion(id="1", text=text, finish_reason=FinishReason.FINISH_REASON_STOP)
    with_model = JudgeSpec(name=judge.name, options={"model": "judge-1", **judge.options})
    completed = CompletedTrial(trial=trial, completion=completion)
    (verdict,) = await verdicts(with_model, [completed], judge_model or ScriptedJudgeModel(bool))
    return verdict.score if verdict.outcome == Outcome.OUTCOME_SCORED else None
