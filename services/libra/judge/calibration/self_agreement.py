"""Measure how far a judge agrees with itself when it judges the same answers again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libra.judge.calibration.labelled_verdicts import NEGATIVE, POSITIVE, LabelledVerdict, judge_labelled
from libra.judge.calibration.rates import to_rate
from libra.judge.judge_type import DEFAULT_SETTINGS, JudgeModelClient, JudgeModelReply, JudgeModelSettings
from libra.judge.judged_answer import ChatMessage
from libra.judge.judges.model import MAX_ATTEMPTS
from libra.statistics import agreement
from libra.v1.calibration_pb2 import SelfAgreement
from libra.v1.judge_pb2 import LabelledAnswer
from libra.v1.task_pb2 import JudgeSpec

VOTES = {POSITIVE: 1.0, NEGATIVE: 0.0}


@dataclass(frozen=True, slots=True)
class LaterEpochs:
    """Asks judge models in later epochs, so that no reply of an earlier repeat is used again."""

    client: JudgeModelClient
    offset: int

    async def __call__(
        self,
        model: str,
        conversations: Sequence[Sequence[ChatMessage]],
        *,
        json_schema: str,
        epoch: int,
        settings: JudgeModelSettings = DEFAULT_SETTINGS,
    ) -> list[JudgeModelReply]:
        """Return one reply for each conversation, in order."""
        epoch += self.offset
        return await self.client(model, conversations, json_schema=json_schema, epoch=epoch, settings=settings)


async def judge_again(
    spec: JudgeSpec, answers: Sequence[LabelledAnswer], model_client: JudgeModelClient, repeat: int
) -> list[LabelledVerdict]:
    """Return the verdicts of a repeat, from 1: every request to a judge model differs from those of other repeats."""
    return await judge_labelled(spec, answers, LaterEpochs(model_client, repeat * MAX_ATTEMPTS))


def self_agreement(repeats: Sequence[Sequence[LabelledVerdict]]) -> SelfAgreement:
    """Return how far the repeats agree; each has a verdict for every answer, in the same order."""
    by_answer = [[one.decision for one in decisions] for decisions in zip(*repeats, strict=True)]
    complete = [decisions for decisions in by_answer if all(decision in VOTES for decision in decisions)]
    found = SelfAgreement(
        repeats=len(repeats),
        answers=len(complete),
        unjudged=len(by_answer) - len(complete),
        equal=to_rate(agreement.share(sum(len(set(decisions)) == 1 for decisions in complete), len(complete))),
    )
    alpha = agreement.krippendorff_alpha([[VOTES.get(decision) for decision in each] for each in by_answer])
    if alpha is not None:
        found.alpha = alpha
    return found
