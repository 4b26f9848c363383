"""The run that callers see, with the progress of each model."""

from __future__ import annotations

from libra.dispatch.run_view import build_run_view
from libra.dispatch.scheduling.run_progress import RunProgress
from libra.store.models.health import FleetHealth
from libra.store.runs import RunRecord, RunSection
from libra.v1.model_pb2 import MODEL_STATE_PARKED, ModelHealth
from libra.v1.run_pb2 import OutcomeCounts, ResponseCounts, Run, RunSpec, RunState
from libra.v1.task_pb2 import JudgeSpec

SECTION = RunSection("t@1", "none", 1, 100, JudgeSpec(name="harm", options={"model": "card-judge"}))


def progress(sent: int = 100, **counts: int) -> RunProgress:
    spec = RunSpec(models=["b", "a"], judge_model="judge", attack_model="a")
    run = Run(id="r", spec=spec, state=RunState.RUN_STATE_RUNNING)
    run.create_time.FromSeconds(1_000)
    return RunProgress(RunRecord(run, [SECTION], {"a": sent, "b": sent}), {"a": OutcomeCounts(**counts)})


def test_models_are_listed_in_the_order_of_the_spec_and_then_those_that_judge() -> None:
    run = build_run_view(progress(scored=3, failed=1), {"a": ResponseCounts(truncated=2)}, {})
    assert [each.model for each in run.models] == ["b", "a", "card-judge", "judge"]
    assert [each.responses.truncated for each in run.models[:2]] == [0, 2]
    assert (run.models[1].counts.scored, run.models[1].counts.failed) == (3, 1)
    assert not run.models[3].HasField("counts")
    assert not run.models[0].HasField("health")


def test_answered_trials_are_those_without_a_verdict_and_at_most_those_that_were_sent() -> None:
    fleet = {"a": FleetHealth(ModelHealth(), {"r": 40, "other": 7})}
    assert build_run_view(progress(scored=10), {}, fleet).models[1].answered == 30
    assert build_run_view(progress(scored=50), {}, fleet).models[1].answered == 0
    assert build_run_view(progress(sent=25, scored=10), {}, fleet).models[1].answered == 15


def test_a_run_that_began_after_its_model_was_parked_has_the_whole_time() -> None:
    health = ModelHealth(state=MODEL_STATE_PARKED)
    health.park_time.FromSeconds(400)
    health.give_up_time.FromSeconds(1_000)
    shown = build_run_view(progress(), {}, {"a": FleetHealth(health, {})}).models[1].health
    assert shown.give_up_time.seconds == 1_600
    health.park_time.FromSeconds(1_200)
    health.give_up_time.FromSeconds(1_800)
    shown = build_run_view(progress(), {}, {"a": FleetHealth(health, {})}).models[1].health
    assert shown.give_up_time.seconds == 1_800
