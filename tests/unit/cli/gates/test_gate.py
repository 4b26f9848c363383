from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.gates.gate_reply import MAX_DROP, POLICY, reply
from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.core.errors import FailedPrecondition, Invalid, NotFound, Unavailable
from libra.v1.gate_pb2 import CalibrateGateResponse, GateDecision, GateRule, GateRuleAlarms, GateShare
from libra.v1.run_pb2 import CreateRunResponse, GetRunResponse, Run, RunSpec, RunState
from libra.v1.task_pb2 import GetTaskResponse, Task

GO, NO_GO = GateDecision.GATE_DECISION_GO, GateDecision.GATE_DECISION_NO_GO
INCONCLUSIVE = GateDecision.GATE_DECISION_INCONCLUSIVE
FINISHED = RunState.RUN_STATE_FINISHED


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "gate.yaml"
    path.write_text(POLICY)
    return path


def joined(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("decision", "code"), [(GO, 0), (NO_GO, 1), (INCONCLUSIVE, 3)])
def test_the_exit_code_is_the_decision(
    services: ScriptedServices, policy: Path, decision: GateDecision.ValueType, code: int
) -> None:
    services.replies["CheckGate"] = reply(decision)
    for form in ("table", "json", "junit", "sarif", "markdown"):
        assert services.libra("gate", "check", policy, "mine", "--format", form).exit_code == code
    assert services.libra("gate", policy, "mine").exit_code == code  # without the word check


def test_the_table_shows_each_rule_with_its_interval(services: ScriptedServices, policy: Path) -> None:
    services.replies["CheckGate"] = reply(NO_GO)
    result = services.libra("gate", "check", policy, "mine", "--run", "R1", "--baseline-run", "R0")
    assert longest_line(result.stdout) <= 80
    text = joined(result.stdout)
    assert "NO-GO: mine breaks release <1>: librai_adv_one_sided_statement (no task drops by more than 0.03)." in text
    assert "Breaches that do not stop the release: over_sensitive" in text
    assert "fraud: only the baseline has fraud" in text
    assert "samples of harm (harm@1a2b3c4d5e6f): 140 newly broken: #0, #1" in text
    assert "and 130 more; 1 fixed: #41" in text
    assert "trials of safety: 1,190 scored, 10 failed" in text
    assert "after Holm's correction over 4 tests" in text
    for number in ("87.0", "84.0 to 90.0", ">= 80.0", "-10.0", "-14.0 to -6.0", "<.001", "1200"):
        assert number in text
    [request] = services.requests
    assert (request.model, list(request.runs), list(request.policy.baseline.runs)) == ("mine", ["R1"], ["R0"])
    assert (request.policy.baseline.model, request.sequential) == ("old", False)


def test_an_inconclusive_gate_says_how_many_samples_would_decide(services: ScriptedServices, policy: Path) -> None:
    services.replies["CheckGate"] = reply(INCONCLUSIVE)
    text = joined(services.libra("gate", "check", policy, "mine", "--baseline", "other").stdout)
    assert "About 12,345 more samples would decide with a probability of 80 %" in text
    assert services.requests[0].policy.baseline.model == "other"
    without = reply(INCONCLUSIVE)
    without.ClearField("more_samples")
    services.replies["CheckGate"] = without
    assert "No number of samples alone would decide" in joined(services.libra("gate", "check", policy, "m").stdout)


def test_several_formats_come_from_one_check(services: ScriptedServices, policy: Path, tmp_path: Path) -> None:
    services.replies["CheckGate"] = reply(GO)
    files = {name: tmp_path / f"gate.{name}" for name in ("junit", "sarif", "markdown", "json")}
    options = [part for name, path in files.items() for part in ("--write", f"{name}={path}")]
    assert services.libra("gate", "check", policy, "mine", *options).exit_code == 0
    assert len(services.requests) == 1
    assert files["junit"].read_text().startswith("<?xml")
    assert json.loads(files["sarif"].read_text())["version"] == "2.1.0"
    assert files["markdown"].read_text().startswith("<!-- libra-gate -->\n### Gate release &lt;1>: GO")
    assert json.loads(files["json"].read_text())["decision"] == "GATE_DECISION_GO"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            Invalid("there is no score or task 'safty'", field="policy.rules[0].score"),
            "gate.yaml, line 4: rules[0]: there",
        ),
        (Invalid("0.7 is not above 0", field="policy.alpha"), "gate.yaml: alpha: 0.7 is not above 0"),
        (NotFound("no model with a verdict", field="model"), "error: MODEL: no model"),
        (NotFound("there is no run 'R9'", field="runs"), "error: --run: there is no run"),
        (FailedPrecondition("old shares no sample with mine", field="policy.baseline"), "line 2: baseline: old shares"),
    ],
)
def test_an_error_names_what_the_user_wrote(
    services: ScriptedServices, policy: Path, error: Exception, message: str
) -> None:
    services.replies["CheckGate"] = error
    result = services.libra("gate", "check", policy, "mine")
    assert result.exit_code == 2
    assert message in result.stderr


def test_an_error_in_an_option_names_the_option(services: ScriptedServices, policy: Path, tmp_path: Path) -> None:
    services.replies["CheckGate"] = NotFound("no model 'x'", field="policy.baseline.model")
    assert "--baseline: no model" in services.libra("gate", "check", policy, "mine", "--baseline", "x").stderr
    services.replies["CheckGate"] = reply(GO)
    for wrong in ("html=a", "junit", f"junit={tmp_path}/none/a.xml"):
        result = services.libra("gate", "check", policy, "mine", "--write", wrong)
        assert (result.exit_code, "--write" in result.stderr) == (2, True)
    result = services.libra("gate", "check", policy, "mine", "--samples", "5")
    assert (result.exit_code, "need --decide" in result.stderr) == (2, True)
    assert services.libra("gate", "check", tmp_path / "none.yaml", "mine").exit_code == 2
    services.replies["CheckGate"] = Unavailable("ranking is away")
    assert services.libra("gate", "check", policy, "mine").exit_code == 3


def run(number: int, samples: int) -> Run:
    spec = RunSpec(models=["mine"], tasks=["harm@1"], samples_per_task=samples, seed=5, epochs=1)
    return Run(id=f"R{number}", spec=spec, state=FINISHED, trials=samples)


def orders(services: ScriptedServices) -> list[RunSpec]:
    return [request.spec for request in services.requests if hasattr(request, "spec")]


@pytest.fixture
def task_of_100(services: ScriptedServices) -> None:
    services.replies["GetTask"] = GetTaskResponse(task=Task(name="harm", version="1", sample_count=100))
    services.replies["GetRun"] = GetRunResponse(run=run(0, 20))


@pytest.mark.usefixtures("task_of_100")
def test_decide_orders_twice_the_samples_until_the_gate_decides(services: ScriptedServices, policy: Path) -> None:
    policy.write_text(POLICY + "tasks: [harm]\n")
    services.replies["CreateRun"] = [CreateRunResponse(run=run(n, 20 * 2**n)) for n in range(3)]
    services.replies["CheckGate"] = [reply(INCONCLUSIVE), reply(INCONCLUSIVE), reply(NO_GO)]
    result = services.libra("gate", "check", policy, "mine", "--decide", "--samples", 20, "--seed", 9)
    assert result.exit_code == 1, result.output
    created = orders(services)
    assert [spec.samples_per_task for spec in created] == [20, 40, 80]
    assert [list(spec.models) for spec in created] == [["mine", "old"]] * 3
    assert {(spec.seed, tuple(spec.tasks)) for spec in created} == {(9, ("harm",))}
    checks = [request for request in services.requests if hasattr(request, "sequential")]
    assert [list(each.runs) for each in checks] == [["R0"], ["R0", "R1"], ["R0", "R1", "R2"]]
    assert all(each.sequential for each in checks)


@pytest.mark.usefixtures("task_of_100")
def test_decide_ends_when_the_tasks_have_no_more_samples(services: ScriptedServices, policy: Path) -> None:
    services.replies["CreateRun"] = [CreateRunResponse(run=run(n, 20 * 2**n)) for n in (1, 2, 3)]
    services.replies["CheckGate"] = [reply(INCONCLUSIVE) for _ in range(4)]
    result = services.libra("gate", "check", policy, "mine", "--run", "R0", "--decide")
    assert result.exit_code == 3, result.output
    assert "no more samples may be ordered" in result.stderr
    assert "if the evidence continues to grow as before" in joined(result.stdout)
    assert [(spec.samples_per_task, spec.seed) for spec in orders(services)] == [(40, 5), (80, 5), (100, 5)]


@pytest.mark.usefixtures("task_of_100")
def test_decide_keeps_to_the_largest_number_of_samples(services: ScriptedServices, policy: Path) -> None:
    services.replies["CreateRun"] = [CreateRunResponse(run=run(1, 30))]
    services.replies["CheckGate"] = [reply(INCONCLUSIVE) for _ in range(2)]
    result = services.libra("gate", "check", policy, "mine", "--run", "R0", "--decide", "--max-samples", 30)
    assert result.exit_code == 3, result.output
    assert [spec.samples_per_task for spec in orders(services)] == [30]


@pytest.mark.usefixtures("task_of_100")
def test_decide_orders_no_more_samples_than_the_run_of_the_baseline_has(
    services: ScriptedServices, policy: Path
) -> None:
    services.replies["CreateRun"] = [CreateRunResponse(run=run(1, 10)), CreateRunResponse(run=run(2, 20))]
    services.replies["CheckGate"] = [reply(INCONCLUSIVE) for _ in range(2)]
    options = ["--baseline-run", "R0", "--decide", "--samples", 10, "--fresh"]
    result = services.libra("gate", "check", policy, "mine", *options)
    assert result.exit_code == 3, result.output
    assert [(spec.samples_per_task, spec.fresh) for spec in orders(services)] == [(10, True), (20, True)]
    assert [list(spec.models) for spec in orders(services)] == [["mine"]] * 2


@pytest.mark.usefixtures("task_of_100")
def test_decide_must_know_what_to_run(services: ScriptedServices, policy: Path) -> None:
    result = services.libra("gate", "check", policy, "mine", "--decide")
    assert result.exit_code == 2
    assert "tasks: --decide must know which tasks to run" in result.stderr
    result = services.libra("gate", "check", policy, "mine", "--decide", "--run", "A", "--run", "B")
    assert "--run: --decide begins with one run at most" in result.stderr
    cancelled = run(1, 40)
    cancelled.state = RunState.RUN_STATE_CANCELLED
    services.replies["CreateRun"] = [CreateRunResponse(run=cancelled)]
    services.replies["CheckGate"] = [reply(INCONCLUSIVE)]
    result = services.libra("gate", "check", policy, "mine", "--decide", "--run", "R0")
    assert (result.exit_code, "R1 was cancelled" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("low", "high", "sentence"),
    [
        (0.01, 0.03, "This gate raises at most the promised 5.0 % of false alarms."),
        (0.02, 0.07, "The interval includes the promised 5.0 % of false alarms; more --repetitions narrow it."),
        (0.06, 0.09, "This gate raises more false alarms than the promised 5.0 %."),
    ],
)
def test_a_calibration_says_whether_the_promise_is_kept(
    services: ScriptedServices, policy: Path, low: float, high: float, sentence: str
) -> None:
    share = GateShare(count=20, total=1000, share=0.02, low=low, high=high)
    services.replies["CalibrateGate"] = CalibrateGateResponse(
        false_alarms=share,
        passes=share,
        inconclusive=share,
        rules=[GateRuleAlarms(rule=GateRule(score="*", condition=MAX_DROP, limit=0.03), breaches=GateShare())],
        alpha=0.05,
        models=["mine"],
        notes=["a note"],
    )
    result = services.libra("gate", "calibrate", policy, "--model", "mine", "--repetitions", 1000, "--seed", 3)
    assert result.exit_code == 0
    assert longest_line(result.stdout) <= 80
    text = joined(result.stdout)
    assert sentence in text
    assert "breach of: no task drops by more than 0.03 0 - -" in text
    assert "note: a note" in text
    [request] = services.requests
    assert (list(request.models), request.repetitions, request.seed) == (["mine"], 1000, 3)
    shown = services.libra("gate", "calibrate", policy, "--json").stdout
    assert json.loads(shown)["false_alarms"]["count"] == "20"
