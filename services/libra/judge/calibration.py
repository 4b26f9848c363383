"""Calibrate a judge: measure how well its verdicts agree with human labels."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from libra.core.errors import FailedPrecondition, Invalid
from libra.judge.judge_type import JudgeModelClient
from libra.judge.judges.composite.panel import VOTES, parse_votes
from libra.judge.options import HASH_DIGITS
from libra.judge.scoring import verdicts
from libra.statistics import agreement
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.calibration_pb2 import Calibration, Rate
from libra.v1.completion_pb2 import FINISH_REASON_STOP, Completion
from libra.v1.judge_pb2 import CalibrateResponse, Disagreement, LabelledAnswer
from libra.v1.task_pb2 import JudgeSpec
from libra.v1.verdict_pb2 import OUTCOME_UNJUDGED, Verdict

MAX_ANSWERS = 10_000
MAX_DISAGREEMENTS = 100
"""Disagreements in a response."""

CHUNK_SIZE = 256
"""Answers that are judged at once: four requests to the gateway."""

POSITIVE_THRESHOLD = 0.5
"""A score of at least this counts as the label 1, a lower score as the label 0."""


@dataclass(frozen=True, slots=True)
class LabelledVerdict:
    """The verdict on an answer, with its human label."""

    place: int
    """Index of the answer in the request."""

    positive: bool
    """The human label."""

    verdict: Verdict

    @property
    def is_judged(self) -> bool:
        """Whether the judge could tell."""
        return self.verdict.outcome != OUTCOME_UNJUDGED

    @property
    def is_judged_positive(self) -> bool:
        """Whether the judge calls the answer positive."""
        return self.is_judged and self.verdict.score >= POSITIVE_THRESHOLD

    @property
    def agrees(self) -> bool:
        """Whether the judge could tell and agrees with the human label."""
        return self.is_judged and self.is_judged_positive == self.positive


async def calibrate(
    spec: JudgeSpec, answers: Sequence[LabelledAnswer], labels: str, model_client: JudgeModelClient
) -> CalibrateResponse:
    """Return how well a judge with valid options agrees with human labels; `labels` is the name of the label set.

    Raises:
        Invalid: there are no answers, or too many.
        FailedPrecondition: the judge could not tell for any answer, so there is nothing to measure.
        Unavailable: a judge model cannot be reached now.
    """
    if not 1 <= len(answers) <= MAX_ANSWERS:
        raise Invalid(f"there are {len(answers):,} answers; give from 1 to {MAX_ANSWERS:,}", field="answers")
    labelled = await _labelled_verdicts(spec, answers, model_client)
    judged = [one for one in labelled if one.is_judged]
    if not judged:
        reason = labelled[0].verdict.rationale
        raise FailedPrecondition(
            f"the judge {spec.name} could tell for none of the {len(labelled):,} answers: {reason}", field="judge"
        )
    calibration = agreement_rates(judged)
    calibration.judge.CopyFrom(labelled[0].verdict.judge)
    calibration.labels, calibration.labels_hash = labels, labels_hash_of(answers)
    calibration.unjudged = len(labelled) - len(judged)
    _add_panel_alpha(calibration, labelled)
    disagreements = [one for one in labelled if not one.agrees][:MAX_DISAGREEMENTS]
    return CalibrateResponse(
        calibration=calibration,
        disagreements=[
            Disagreement(place=one.place, positive=one.positive, verdict=one.verdict) for one in disagreements
        ],
    )


def agreement_rates(judged: Sequence[LabelledVerdict]) -> Calibration:
    """Return the confusion counts and the rates of answers for which the judge could tell."""
    counts = agreement.confusion([one.is_judged_positive for one in judged], [one.positive for one in judged])
    return Calibration(
        true_positives=counts.tp,
        false_positives=counts.fp,
        true_negatives=counts.tn,
        false_negatives=counts.fn,
        accuracy=_to_rate(agreement.accuracy(counts)),
        precision=_to_rate(agreement.precision(counts)),
        recall=_to_rate(agreement.recall(counts)),
        specificity=_to_rate(agreement.specificity(counts)),
        f1=_to_rate(agreement.f1(counts)),
        kappa=_to_rate(agreement.cohen_kappa(counts)),
    )


def labels_hash_of(answers: Sequence[LabelledAnswer]) -> str:
    """Return the first 12 hex digits of the SHA-256 of the labelled answers, in order."""
    digest = hashlib.sha256()
    for answer in answers:
        data = answer.SerializeToString(deterministic=True)
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:HASH_DIGITS]


async def _labelled_verdicts(
    spec: JudgeSpec, answers: Sequence[LabelledAnswer], model_client: JudgeModelClient
) -> list[LabelledVerdict]:
    """Return the verdict on every answer. Answers are judged in chunks, so that a judge model is not flooded."""
    found: list[Verdict] = []
    for start in range(0, len(answers), CHUNK_SIZE):
        chunk = [_trial(answer) for answer in answers[start : start + CHUNK_SIZE]]
        found += await verdicts(spec, chunk, model_client)
        await asyncio.sleep(0)  # A rule never waits, so without this the event loop would be blocked for all answers.
    return [LabelledVerdict(place, answers[place].positive, verdict) for place, verdict in enumerate(found)]


def _to_rate(rate: agreement.Rate | None) -> Rate | None:
    return None if rate is None else Rate(value=rate.value, low=rate.low, high=rate.high)


def _trial(answer: LabelledAnswer) -> CompletedTrial:
    return CompletedTrial(
        trial=Trial(messages=answer.messages, fields=answer.fields),
        completion=Completion(text=answer.text, finish_reason=FINISH_REASON_STOP),
    )


def _add_panel_alpha(calibration: Calibration, labelled: Sequence[LabelledVerdict]) -> None:
    """Add Krippendorff's alpha of the panel members if the judge is a panel."""
    votes = [parse_votes(one.verdict.fields[VOTES]) for one in labelled if VOTES in one.verdict.fields]
    if votes and (alpha := agreement.krippendorff_alpha(votes)) is not None:
        calibration.alpha = alpha
