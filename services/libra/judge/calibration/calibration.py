"""Calibrate a judge: measure how well its verdicts agree with human labels."""

from __future__ import annotations

from collections.abc import Sequence

from libra.core.errors import FailedPrecondition, Invalid
from libra.judge.calibration.groups import group_calibrations
from libra.judge.calibration.labelled_verdicts import LabelledVerdict, judge_labelled, labels_hash_of
from libra.judge.calibration.rates import confusion_of, to_rate
from libra.judge.calibration.self_agreement import judge_again, self_agreement
from libra.judge.judge_type import JudgeModelClient
from libra.judge.judges.composite.panel import VOTES, parse_votes
from libra.statistics import agreement
from libra.v1.calibration_pb2 import Calibration
from libra.v1.judge_pb2 import CalibrateResponse, Disagreement, LabelledAnswer
from libra.v1.task_pb2 import JudgeSpec

MAX_DISAGREEMENTS = 100
"""Disagreements in a response."""

MAX_REPEATS = 20


async def calibrate(
    spec: JudgeSpec,
    answers: Sequence[LabelledAnswer],
    labels: str,
    model_client: JudgeModelClient,
    repeats: int = 1,
) -> CalibrateResponse:
    """Return how well a judge with valid options agrees with human labels; `labels` is the name of the label set.

    With `repeats` above 1 the answers are judged that often, and the judge's agreement with itself is measured.

    Raises:
        Invalid: there are no answers, or too many, or too many repeats.
        FailedPrecondition: the judge could not tell for any answer, so there is nothing to measure.
        Unavailable: a judge model cannot be reached now.
    """
    if not 1 <= repeats <= MAX_REPEATS:
        raise Invalid(f"{repeats:,} repeats; give from 1 to {MAX_REPEATS}", field="repeats")
    labelled = await judge_labelled(spec, answers, model_client)
    calibration = build_calibration(spec, answers, labelled)
    calibration.labels = labels
    if repeats > 1:
        again = [await judge_again(spec, answers, model_client, repeat) for repeat in range(1, repeats)]
        calibration.self_agreement.CopyFrom(self_agreement([labelled, *again]))
    disagreements = [one for one in labelled if not one.agrees][:MAX_DISAGREEMENTS]
    return CalibrateResponse(
        calibration=calibration,
        disagreements=[
            Disagreement(place=one.place, positive=one.positive, verdict=one.verdict) for one in disagreements
        ],
    )


def build_calibration(
    spec: JudgeSpec, answers: Sequence[LabelledAnswer], labelled: Sequence[LabelledVerdict]
) -> Calibration:
    """Return the calibration by these verdicts, without a name of the labels; raise FailedPrecondition for none."""
    judged = [one for one in labelled if one.is_judged]
    if not judged:
        reason = labelled[0].verdict.rationale
        raise FailedPrecondition(
            f"the judge {spec.name} could tell for none of the {len(labelled):,} answers: {reason}", field="judge"
        )
    calibration = agreement_rates(judged)
    calibration.judge.CopyFrom(labelled[0].verdict.judge)
    calibration.labels_hash = labels_hash_of(answers)
    calibration.unjudged = len(labelled) - len(judged)
    calibration.groups.extend(group_calibrations(answers, labelled))
    calibration.decisions = "".join(one.decision for one in labelled)
    _add_panel_alpha(calibration, labelled)
    return calibration


def agreement_rates(judged: Sequence[LabelledVerdict]) -> Calibration:
    """Return the confusion counts and the rates of answers for which the judge could tell."""
    counts = confusion_of(judged)
    return Calibration(
        true_positives=counts.tp,
        false_positives=counts.fp,
        true_negatives=counts.tn,
        false_negatives=counts.fn,
        accuracy=to_rate(agreement.accuracy(counts)),
        precision=to_rate(agreement.precision(counts)),
        recall=to_rate(agreement.recall(counts)),
        specificity=to_rate(agreement.specificity(counts)),
        f1=to_rate(agreement.f1(counts)),
        kappa=to_rate(agreement.cohen_kappa(counts)),
    )


def _add_panel_alpha(calibration: Calibration, labelled: Sequence[LabelledVerdict]) -> None:
    """Add Krippendorff's alpha of the panel members if the judge is a panel."""
    votes = [parse_votes(one.verdict.fields[VOTES]) for one in labelled if VOTES in one.verdict.fields]
    if votes and (alpha := agreement.krippendorff_alpha(votes)) is not None:
        calibration.alpha = alpha
