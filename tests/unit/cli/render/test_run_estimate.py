"""The rates and the time left of a run: its slowest model decides."""

from __future__ import annotations

import pytest
from rich.console import Console

from libra.cli.render.runs.model_table import model_table, problems
from libra.cli.render.runs.progress import ProgressLog
from libra.cli.render.runs.run_estimate import RunEstimator
from libra.v1.model_pb2 import MODEL_STATE_PARKED, MODEL_STATE_READY, ModelHealth
from libra.v1.run_pb2 import ModelProgress, OutcomeCounts, Run, RunSpec, RunState


def progress(model: str, scored: int = 0, answered: int = 0, health: ModelHealth | None = None) -> ModelProgress:
    return ModelProgress(model=model, counts=OutcomeCounts(scored=scored), answered=answered, health=health)


def run_of(*models: ModelProgress, per_model: int = 100, judge: str = "") -> Run:
    names = [each.model for each in models if each.model != judge]
    return Run(
        id="r1",
        spec=RunSpec(models=names, judge_model=judge),
        state=RunState.RUN_STATE_RUNNING,
        trials=per_model * len(names),
        counts=OutcomeCounts(scored=sum(each.counts.scored for each in models)),
        models=models,
    )


def parked(reason: str = "nobody listens") -> ModelHealth:
    health = ModelHealth(state=MODEL_STATE_PARKED, error=reason)
    for name in ("park_time", "probe_time", "give_up_time"):
        getattr(health, name).GetCurrentTime()
    health.give_up_time.seconds += 600
    return health


def test_the_time_left_is_that_of_the_slowest_model() -> None:
    estimator = RunEstimator()
    estimator.observe(run_of(progress("fast"), progress("slow")), 0)
    estimator.observe(run_of(progress("fast", 90), progress("slow", 10)), 10)
    assert estimator.per_second == 10
    assert estimator.seconds_left == pytest.approx(90)
    assert [each.progress.model for each in estimator.models] == ["slow", "fast"]


def test_the_time_left_is_not_known_while_one_model_stands_still() -> None:
    estimator = RunEstimator()
    still = progress("dead", health=parked())
    estimator.observe(run_of(progress("fast"), still), 0)
    estimator.observe(run_of(progress("fast", 99), still), 10)
    assert estimator.seconds_left is None
    assert estimator.models[0].progress.model == "dead"


def test_answered_trials_count_and_never_go_back() -> None:
    estimator = RunEstimator()
    for answered, scored in ((0, 0), (64, 0), (0, 10), (0, 64), (3, 64)):
        estimator.observe(run_of(progress("m", scored, answered)), 1)
    assert estimator.done == 67
    estimator.observe(run_of(progress("m", 64)), 2)
    assert estimator.done == 67


def rendered(run: Run) -> str:
    estimator = RunEstimator()
    estimator.observe(run, 0)
    console = Console(width=80, record=True, markup=False)
    console.print(model_table(run, estimator.models, 24))
    return console.export_text()


def test_the_table_of_many_models_fits_80_columns_and_24_lines() -> None:
    long = "a reason with remedy " * 30
    models = [progress(f"a-model-with-a-rather-long-name-{n}", n, health=parked(long)) for n in range(24)]
    lines = rendered(run_of(*models, progress("judge"), judge="judge")).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 23  # below the bar
    assert any(line.startswith("and 14 more, 14 of them parked") for line in lines)


def test_a_parked_judge_model_is_shown() -> None:
    run = run_of(progress("m", 5), progress("judge", health=parked()), judge="judge")
    assert "judge" in rendered(run)
    ((model, sentence),) = problems(run)
    assert model.model == "judge"
    assert "judge is parked" in sentence
    assert "nobody listens" in sentence


def test_the_last_error_is_shown_with_its_count() -> None:
    failing = ModelHealth(state=MODEL_STATE_READY, error="the provider failed (500)", errors=12)
    ((_, sentence),) = problems(run_of(progress("m", health=failing)))
    assert sentence == "m: the provider failed (500) (12 times in 10 min)"


def test_the_log_names_parked_models_and_repeats_the_reason_seldom(capsys: pytest.CaptureFixture[str]) -> None:
    log = ProgressLog()
    for _ in range(3):
        log.report(run_of(progress("m", 5), progress("dead", health=parked())))
        log._printed_at = 0.0
    text = capsys.readouterr().err
    assert text.count("1 model parked: dead") == 3
    assert text.count("nobody listens") == 1
