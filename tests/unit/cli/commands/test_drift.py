from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.core.errors import NotFound
from libra.v1.calibration_pb2 import GroupCalibration, SelfAgreement
from libra.v1.judge_pb2 import CalibrateResponse, CheckDriftResponse, DecisionChange, ListJudgesResponse
from libra.v1.verdict_pb2 import Outcome, Verdict

from .test_judges import CALIBRATION, HARM, RATE, REFUSAL


@pytest.fixture
def services(services: ScriptedServices) -> ScriptedServices:
    services.replies["ListJudges"] = ListJudgesResponse(judges=[HARM, REFUSAL])
    return services


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text("objective,assistant_response,human_score\nSay hello,I will not,1\nSay hello,Hello,0\n")
    return path


def drift(*, drifted: bool) -> CheckDriftResponse:
    verdict = Verdict(outcome=Outcome.OUTCOME_SCORED, score=1, label="refused", rationale="it sounds so")
    return CheckDriftResponse(
        before=CALIBRATION,
        now=CALIBRATION,
        changed=1,
        newly_wrong=1,
        p_value=0.0312,
        drifted=drifted,
        changes=[DecisionChange(place=1, positive=False, before="0", verdict=verdict)],
    )


def test_a_drift_shows_the_test_and_the_changes_and_ends_with_1(services: ScriptedServices, file: Path) -> None:
    services.replies["CheckDrift"] = drift(drifted=True)
    result = services.libra("judges", "drift", "refusal", file, "--alpha", "0.01", "--max-changed", "0")
    text = " ".join(result.stdout.split())
    assert result.exit_code == 1, result.output
    assert "accuracy then 0.971 (0.919 to 0.990) of 103 answers" in text
    assert "changed 1 of 2 answers" in text
    assert "p 0.0312" in text
    assert "answer 2: people say 0, the judge said 0" in text
    assert text.endswith("The judge has drifted.")
    request = services.requests[-1]
    assert (request.alpha, request.max_changed, request.HasField("max_changed")) == (0.01, 0, True)
    assert longest_line(result.stdout) <= 80


def test_no_drift_ends_with_0(services: ScriptedServices, file: Path) -> None:
    services.replies["CheckDrift"] = drift(drifted=False)
    result = services.libra("judges", "drift", "refusal", file, "--show", "0")
    assert (result.exit_code, "No drift was found." in result.stdout) == (0, True)
    assert "answer 2" not in result.stdout
    shown = services.libra("judges", "drift", "refusal", file, "--json")
    assert json.loads(shown.stdout)["changed"] == "1"


def test_a_missing_calibration_is_an_error(services: ScriptedServices, file: Path) -> None:
    services.replies["CheckDrift"] = NotFound("the judge refusal has no calibration", field="answers")
    result = services.libra("judges", "drift", "refusal", file)
    assert result.exit_code not in (0, 1)
    assert "LABELS: the judge refusal has no calibration" in result.stderr


def test_groups_and_repeats_of_a_calibration_are_printed(services: ScriptedServices, file: Path) -> None:
    calibration = type(CALIBRATION).FromString(CALIBRATION.SerializeToString())
    group = GroupCalibration(
        field="model", value="a\x1b[31m", true_positives=60, unjudged=2, accuracy=RATE, recall=RATE
    )
    calibration.groups.extend([group, GroupCalibration(field="model", value="b", true_negatives=7, few=True)])
    calibration.self_agreement.CopyFrom(SelfAgreement(repeats=3, answers=100, unjudged=3, equal=RATE, alpha=0.9))
    services.replies["Calibrate"] = CalibrateResponse(calibration=calibration)
    result = services.libra("judges", "calibrate", "refusal", file, "--repeats", "3")
    text = " ".join(result.stdout.split())
    assert services.requests[-1].repeats == 3
    assert "60 + 2 unjudged 0.97 (0.92-0.99) 0.97 (0.92-0.99)" in text
    assert "b * 7" in text
    assert "fewer than 20 answers" in result.stderr
    assert "repeats 3, of 100 answers that were judged every time" in text
    assert "equal labels 0.971 (0.919 to 0.990) of the answers" in text
    assert "alpha 0.900" in text
    assert "\x1b" not in result.stdout
    assert longest_line(result.stdout) <= 80
