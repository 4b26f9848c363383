"""Check whether a judge has drifted: judge the labelled answers of a calibration again and compare the verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from uuid import uuid4

from libra.core.errors import Invalid, NotFound
from libra.judge.calibration.calibration import build_calibration
from libra.judge.calibration.labelled_verdicts import (
    UNDECIDED,
    LabelledVerdict,
    judge_labelled,
    labels_hash_of,
)
from libra.judge.judge_type import JudgeModelClient, with_fresh_replies
from libra.statistics.paired_tests import mcnemar
from libra.v1.calibration_pb2 import Calibration
from libra.v1.judge_pb2 import CheckDriftRequest, CheckDriftResponse, DecisionChange, LabelledAnswer
from libra.v1.verdict_pb2 import JudgeVersion

DEFAULT_ALPHA = 0.05
DEFAULT_MAX_CHANGED = 0.1

MAX_CHANGES = 100
"""Changes in a response."""


async def check_drift(
    request: CheckDriftRequest, before: Calibration, model_client: JudgeModelClient
) -> CheckDriftResponse:
    """Return how the verdicts on the answers differ from those of the stored calibration by the same labels.

    Judge models are asked anew: no stored reply is used.

    Raises:
        Invalid: a limit is out of range.
        FailedPrecondition: the judge could tell for no answer.
        Unavailable: a judge model cannot be reached now.
    """
    alpha, max_changed = drift_limits(request)
    fresh_client = with_fresh_replies(model_client, f"drift {uuid4().hex}")
    labelled = await judge_labelled(request.judge, request.answers, fresh_client)
    now = build_calibration(request.judge, request.answers, labelled)
    now.labels = before.labels
    response = compare(before, now, labelled)
    share = response.changed / len(labelled)
    response.drifted = response.p_value < alpha or share > max_changed
    return response


def find_baseline(
    calibrations: Sequence[Calibration], judge: JudgeVersion, answers: Sequence[LabelledAnswer]
) -> Calibration:
    """Return the newest calibration of the judge by these answers, of the same version if there is one.

    `calibrations` are those of the judge's name, the newest first. A calibration of an earlier version is a baseline
    too: the check then shows what the change of the judge did.

    Raises:
        NotFound: the judge has no calibration with this rubric and these answers, or it is too old to hold verdicts.
    """
    labels_hash = labels_hash_of(answers)
    found = [
        each
        for each in calibrations
        if each.labels_hash == labels_hash and each.judge.rubric_hash == judge.rubric_hash and each.decisions
    ]
    found.sort(key=lambda each: each.judge.version != judge.version)
    if not found:
        raise NotFound(
            f"the judge {judge.name} has no calibration with these options and these labels ({labels_hash}) to compare "
            "with; measure one with `libra judges calibrate`",
            field="answers",
        )
    return found[0]


def drift_limits(request: CheckDriftRequest) -> tuple[float, float]:
    """Return the largest p of a drift and the largest share of changes without one; raise Invalid out of range."""
    alpha = request.alpha or DEFAULT_ALPHA
    max_changed = request.max_changed if request.HasField("max_changed") else DEFAULT_MAX_CHANGED
    for name, value in (("alpha", alpha), ("max_changed", max_changed)):
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise Invalid(f"{name} is {value:g}; give a number from 0 to 1", field=name)
    return alpha, max_changed


def compare(before: Calibration, now: Calibration, labelled: Sequence[LabelledVerdict]) -> CheckDriftResponse:
    """Return what changed; the order of the answers is that of the calibration.

    An answer that the judge decides only once counts as changed, but not in the test: it is neither right nor wrong.
    """
    pairs = list(zip(before.decisions, labelled, strict=True))
    changes = [(earlier, one) for earlier, one in pairs if earlier != one.decision]
    decided = [(earlier, one) for earlier, one in changes if UNDECIDED not in (earlier, one.decision)]
    newly_right = sum(one.agrees for _, one in decided)
    newly_wrong = len(decided) - newly_right
    return CheckDriftResponse(
        before=before,
        now=now,
        changed=len(changes),
        newly_wrong=newly_wrong,
        newly_right=newly_right,
        p_value=mcnemar(newly_wrong, newly_right),
        changes=[
            DecisionChange(place=one.place, positive=one.positive, before=earlier, verdict=one.verdict)
            for earlier, one in changes[:MAX_CHANGES]
        ],
    )
