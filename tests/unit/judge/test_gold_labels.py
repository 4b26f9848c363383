from __future__ import annotations

from libra.judge.stage import judge_batch
from libra.v1.batch_pb2 import BatchHeader, CompletedTrial, CompletionBatch, Trial
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import JudgeSpec

from .judge_runner import no_judge_model


def batch(balanced_by: str, **fields: str) -> CompletionBatch:
    completion = Completion(id="c", text="Yes.", finish_reason=FinishReason.FINISH_REASON_STOP)
    trial = Trial(messages=[Message(role="user", content="Is it?")], fields=fields)
    judge = JudgeSpec(name="yes_no", options={"field": "truth"})
    header = BatchHeader(judge=judge, balanced_by=balanced_by)
    return CompletionBatch(header=header, trials=[CompletedTrial(trial=trial, completion=completion)])


async def test_a_verdict_on_a_balanced_task_has_the_gold_label_of_its_sample() -> None:
    [verdict] = await judge_batch(batch("truth", truth="no", gold_label="other"), no_judge_model)
    assert verdict.fields["gold_label"] == "no"


async def test_a_verdict_on_any_other_task_has_none() -> None:
    [verdict] = await judge_batch(batch("", truth="no"), no_judge_model)
    assert "gold_label" not in verdict.fields


async def test_a_sample_without_the_field_has_no_gold_label() -> None:
    [verdict] = await judge_batch(batch("absent", truth="no"), no_judge_model)
    assert "gold_label" not in verdict.fields
