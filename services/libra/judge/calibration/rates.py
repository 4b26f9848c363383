"""Count labelled verdicts, and convert their rates to the form of the service."""

from __future__ import annotations

from collections.abc import Iterable

from libra.judge.calibration.labelled_verdicts import LabelledVerdict
from libra.statistics import agreement
from libra.v1.calibration_pb2 import Rate


def confusion_of(labelled: Iterable[LabelledVerdict]) -> agreement.Confusion:
    """Count the answers for which the judge could tell by both labels."""
    judged = [one for one in labelled if one.is_judged]
    return agreement.confusion([one.is_judged_positive for one in judged], [one.positive for one in judged])


def to_rate(rate: agreement.Rate | None) -> Rate | None:
    """Return the rate as the service gives it."""
    return None if rate is None else Rate(value=rate.value, low=rate.low, high=rate.high)
