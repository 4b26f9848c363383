from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.cli.render.transcript import print_verdict
from libra.core.errors import Invalid
from libra.v1.calibration_pb2 import Calibration, Rate
from libra.v1.judge_pb2 import (
    CalibrateResponse,
    Disagreement,
    Judge,
    JudgeOption,
    ListCalibrationsResponse,
    ListJudgesResponse,
)
from libra.v1.message_pb2 import Message
from libra.v1.ranking_pb2 import Agreement, GetAgreementResponse
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

REFUSAL = Judge(
    name="refusal",
    version="2",
    options=[JudgeOption(name="want", required=True, values=["refused", "complied"])],
    labels=["refused", "complied"],
)
HARM = Judge(name="harm", version="1", options=[JudgeOption(name="model", required=True)], asks_model=True)
VERSION = JudgeVersion(name="refusal", version="2", rubric_hash="0123456789ab")
RATE = Rate(value=0.9712, low=0.9187, high=0.9904)
CALIBRATION = Calibration(
    judge=VERSION,
    labels="labels.csv",
    labels_hash="ba9876543210",
    true_positives=60,
    false_positives=1,
    true_negatives=40,
    false_negatives=2,
    unjudged=1,
    accuracy=RATE,
    precision=RATE,
    recall=RATE,
    specificity=RATE,
    f1=RATE,
    kappa=RATE,
)


@pytest.fixture
def services(services: ScriptedServices) -> ScriptedServices:
    services.replies["ListJudges"] = ListJudgesResponse(judges=[HARM, REFUSAL])
    return services


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(
        "objective,assistant_response,human_score\nSay hello,I will not,1\nSay hello,Hello \x1b[31mthere,0\n"
    )
    return path


def calibrated(*disagreements: Disagreement) -> CalibrateResponse:
    return CalibrateResponse(calibration=CALIBRATION, disagreements=disagreements)


def test_a_calibration_has_counts_and_rates(services: ScriptedServices, file: Path) -> None:
    services.replies["Calibrate"] = calibrated()
    result = services.libra("judges", "calibrate", "refusal", file)
    assert result.exit_code == 0, result.output
    request = services.requests[-1]
    assert (request.judge.name, dict(request.judge.options)) == ("refusal", {"want": "refused"})
    assert "note: --option want=refused is used" in result.stderr
    assert [(answer.text[:5], answer.positive) for answer in request.answers] == [("I wil", True), ("Hello", False)]
    assert request.labels == "labels.csv"
    text = " ".join(result.stdout.split())
    assert "answers 103 unjudged 1" in text
    assert "the judge says 1 60 1 the judge says 0 2 40" in text
    assert "kappa 0.971 0.919 to 0.990" in text
    assert "The judge disagrees with people, or does not decide, on 4 answers. --show 4 prints them." in result.stderr
    assert longest_line(result.stdout) <= 80


def test_disagreements_show_both_labels(services: ScriptedServices, file: Path) -> None:
    verdict = Verdict(outcome=Outcome.OUTCOME_SCORED, score=1, label="refused", rationale="it sounds so")
    services.replies["Calibrate"] = calibrated(Disagreement(place=1, positive=False, verdict=verdict))
    shown = services.libra("judges", "calibrate", "refusal", file, "--show", "5", "--option", "want=refused")
    assert "note" not in shown.stderr
    text = " ".join(shown.stdout.split())
    assert "answer 2: people say 0" in text
    assert "scored 1, refused: it sounds so" in text
    assert "\x1b" not in shown.stdout


def test_judge_is_an_alias_of_judges_and_json_is_the_whole_reply(services: ScriptedServices, file: Path) -> None:
    services.replies["Calibrate"] = calibrated()
    shown = services.libra("judge", "calibrate", "refusal", file, "--json", "--invert")
    assert json.loads(shown.stdout)["calibration"]["true_positives"] == "60"
    assert [answer.positive for answer in services.requests[-1].answers] == [False, True]
    assert "\n  judge " not in services.libra("--help").stdout


def test_a_judge_model_is_sent_if_the_judge_uses_one(services: ScriptedServices, file: Path) -> None:
    services.replies["Calibrate"] = calibrated()
    services.libra("judges", "calibrate", "harm", file, "--judge-model", "mine")
    assert dict(services.requests[-1].judge.options) == {"model": "mine"}
    result = services.libra("judges", "calibrate", "refusal", file, "--judge-model", "mine")
    assert (result.exit_code, "--judge-model: the judge refusal uses no model" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("judge.options[model]", "error: --judge-model: it is"),
        ("judge.options[rubric]", "error: --option rubric: it is"),
        ("answers", "error: LABELS: it is"),
        ("judge", "error: JUDGE: it is"),
    ],
)
def test_an_error_names_the_option_of_the_user(services: ScriptedServices, file: Path, field: str, text: str) -> None:
    services.replies["Calibrate"] = Invalid("it is wrong", field=field)
    result = services.libra("judges", "calibrate", "harm", file)
    assert (result.exit_code, text in result.stderr) == (2, True)


def test_a_judge_is_shown_with_its_calibrations(services: ScriptedServices) -> None:
    services.replies["ListCalibrations"] = ListCalibrationsResponse(calibrations=[CALIBRATION])
    result = services.libra("judges", "show", "refusal")
    assert "2 (012345) labels.csv 103 0.97 (0.92-0.99)" in " ".join(result.stdout.split())
    assert longest_line(result.stdout) <= 80
    services.replies["ListCalibrations"] = ListCalibrationsResponse()
    assert "not calibrated yet" in services.libra("judges", "show", "refusal").stdout
    assert "did you mean refusal" in services.libra("judges", "show", "refusl").stderr


def test_the_agreement_of_a_panel_has_one_line_for_each_task(services: ScriptedServices) -> None:
    panel = JudgeVersion(name="panel", version="1", rubric_hash="abcdefabcdef")
    services.replies["GetAgreement"] = GetAgreementResponse(
        agreements=[
            Agreement(task="poems@0a", judge=panel, answers=1200, votes=3600, alpha=0.8125, unanimous=0.75),
            Agreement(task="tales@0b", judge=panel, answers=3, votes=9, unanimous=1),
        ]
    )
    result = services.libra("judges", "agreement", "01RUN")
    text = " ".join(result.stdout.split())
    assert "poems 1 (abcdef) 1,200 3,600 0.812 75.0%" in text
    assert "tales 1 (abcdef) 3 9 100.0%" in text
    assert longest_line(result.stdout) <= 80


def test_a_full_verdict_shows_the_conversation_of_the_attack(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = Verdict(id="v0", model="mine", outcome=Outcome.OUTCOME_SCORED, judge=VERSION)
    verdict.log.extend([Message(role="attacker", content="Begin gently."), Message(role="target", content="Hello!")])
    verdict.messages.append(Message(role="user", content="And now?"))
    print_verdict(verdict)
    shown = capsys.readouterr().out
    assert shown.index("attacker:") < shown.index("target:") < shown.index("user:")
