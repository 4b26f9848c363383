"""Measure a judge against answers that people have labelled."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from libra.errors import FailedPrecondition, Invalid
from libra.judge.judge_type import Ask
from libra.judge.judges.panel import VOTES, votes_in
from libra.judge.scoring import verdicts
from libra.statistics import agreement
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.calibration_pb2 import Calibration, Rate
from libra.v1.completion_pb2 import FINISH_REASON_STOP, Completion
from libra.v1.judge_pb2 import CalibrateResponse, Disagreement, LabelledAnswer
from libra.v1.task_pb2 import JudgeSpec
from libra.v1.verdict_pb2 import OUTCOME_UNJUDGED, Verdict

MOST_ANSWERS = 10_000
SHOWN = 100
"""Disagreements that are told."""

AT_ONCE = 256
"""Answers that a judge looks at in one go: four requests to the gateway."""

HASH_DIGITS = 12

POSITIVE_FROM = 0.5
"""A score that is nearer to 1 than to 0 says what people say with 1."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled answer and the verdict on it."""

    place: int
    positive: bool
    verdict: Verdict

    @property
    def told(self) -> bool:
        """Whether the judge could tell."""
        return self.verdict.outcome != OUTCOME_UNJUDGED

    @property
    def judge_says(self) -> bool:
        """Whether the judge calls the answer positive."""
        return self.told and self.verdict.score >= POSITIVE_FROM

    @property
    def agrees(self) -> bool:
        """Whether the judge could tell, and says what people say."""
        return self.told and self.judge_says == self.positive


async def calibrate(spec: JudgeSpec, answers: Sequence[LabelledAnswer], labels: str, ask: Ask) -> CalibrateResponse:
    """Return how far a judge, whose options are sound, agrees with people; `labels` is what their labels are called.

    Raises:
        Invalid: there are no answers, or too many.
        NotNow: the judge could tell of none of them, so that nothing is measured.
        Unavailable: a judge model cannot be asked now.
    """
    if not 1 <= len(answers) <= MOST_ANSWERS:
        raise Invalid(f"there are {len(answers):,} answers; give from 1 to {MOST_ANSWERS:,}", field="answers")
    judged = await _judged(spec, answers, ask)
    told = [one for one in judged if one.told]
    if not told:
        reason = judged[0].verdict.rationale
        raise FailedPrecondition(
            f"the judge {spec.name} could tell of none of the {len(judged):,} answers: {reason}", field="judge"
        )
    apart = [one for one in judged if not one.agrees]
    calibration = measured(told)
    calibration.judge.CopyFrom(judged[0].verdict.judge)
    calibration.labels, calibration.labels_hash = labels, hash_of(answers)
    calibration.unjudged = len(judged) - len(told)
    _add_alpha(calibration, judged)
    return CalibrateResponse(
        calibration=calibration,
        disagreements=[
            Disagreement(place=one.place, positive=one.positive, verdict=one.verdict) for one in apart[:SHOWN]
        ],
    )


def measured(told: Sequence[Judged]) -> Calibration:
    """Return the counts and rates of the answers of which the judge could tell."""
    counts = agreement.confusion([one.judge_says for one in told], [one.positive for one in told])
    return Calibration(
        true_positives=counts.tp,
        false_positives=counts.fp,
        true_negatives=counts.tn,
        false_negatives=counts.fn,
        accuracy=rate(agreement.accuracy(counts)),
        precision=rate(agreement.precision(counts)),
        recall=rate(agreement.recall(counts)),
        specificity=rate(agreement.specificity(counts)),
        f1=rate(agreement.f1(counts)),
        kappa=rate(agreement.cohen_kappa(counts)),
    )


def rate(found: agreement.Rate | None) -> Rate | None:
    """Return a rate as the contracts have it."""
    return None if found is None else Rate(value=found.value, low=found.low, high=found.high)


def hash_of(answers: Sequence[LabelledAnswer]) -> str:
    """Return the first 12 hex digits of the SHA-256 of the labelled answers, in their order."""
    digest = hashlib.sha256()
    for answer in answers:
        data = answer.SerializeToString(deterministic=True)
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:HASH_DIGITS]


async def _judged(spec: JudgeSpec, answers: Sequence[LabelledAnswer], ask: Ask) -> list[Judged]:
    """Return every answer with its verdict; a judge model is asked about some hundreds at once, not about all."""
    found: list[Verdict] = []
    for start in range(0, len(answers), AT_ONCE):
        found += await verdicts(spec, [_trial(answer) for answer in answers[start : start + AT_ONCE]], ask)
        await asyncio.sleep(0)  # others may want the processor meanwhile: a rule asks nobody and never waits
    return [Judged(place, answers[place].positive, verdict) for place, verdict in enumerate(found)]


def _trial(answer: LabelledAnswer) -> CompletedTrial:
    return CompletedTrial(
        trial=Trial(messages=answer.messages, fields=answer.fields),
        completion=Completion(text=answer.text, finish_reason=FINISH_REASON_STOP),
    )


def _add_alpha(calibration: Calibration, judged: Sequence[Judged]) -> None:
    votes = [votes_in(one.verdict.fields[VOTES]) for one in judged if VOTES in one.verdict.fields]
    if votes and (found := agreement.krippendorff_alpha(votes)) is not None:
        calibration.alpha = found
