"""Calibrate a judge by group: by the model that gave the answers, and by their language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from libra.judge.calibration.labelled_verdicts import LabelledVerdict
from libra.judge.calibration.rates import confusion_of, to_rate
from libra.statistics import agreement
from libra.v1.calibration_pb2 import GroupCalibration
from libra.v1.judge_pb2 import LabelledAnswer

MODEL, LANGUAGE = "model", "language"
GROUP_FIELDS = (MODEL, LANGUAGE)
"""The columns of labels by which answers are grouped."""

FEW_ANSWERS = 20
"""The rates of a group with fewer judged answers say little: 19 right ones of 19 are compatible with 0.83."""

MAX_GROUPS = 200
"""Groups of one column; the smallest of more are left out."""


def group_calibrations(
    answers: Sequence[LabelledAnswer], labelled: Sequence[LabelledVerdict]
) -> Iterator[GroupCalibration]:
    """Yield the calibration of each group, the largest first; none for a column that the labels do not have."""
    for field in GROUP_FIELDS:
        groups: defaultdict[str, list[LabelledVerdict]] = defaultdict(list)
        for answer, one in zip(answers, labelled, strict=True):
            if value := answer.fields.get(field, "").strip():
                groups[value].append(one)
        largest = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))[:MAX_GROUPS]
        yield from (_group_calibration(field, value, members) for value, members in largest)


def _group_calibration(field: str, value: str, members: Sequence[LabelledVerdict]) -> GroupCalibration:
    counts = confusion_of(members)
    return GroupCalibration(
        field=field,
        value=value,
        true_positives=counts.tp,
        false_positives=counts.fp,
        true_negatives=counts.tn,
        false_negatives=counts.fn,
        unjudged=len(members) - counts.n,
        accuracy=to_rate(agreement.accuracy(counts)),
        recall=to_rate(agreement.recall(counts)),
        specificity=to_rate(agreement.specificity(counts)),
        few=counts.n < FEW_ANSWERS,
    )
