"""Boards whose judge errs more often on one model than on another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from libra.ranking.board.board import TaskRow, build_rows
from libra.ranking.board.board_notes import row_notes
from libra.ranking.board.scores import ScoreInputs
from libra.statistics.influence import difference
from libra.statistics.misclassification import JudgeRates, unequal_rates_gaps
from libra.v1.calibration_pb2 import Calibration, GroupCalibration
from libra.v1.verdict_pb2 import JudgeVersion

from .cells import JUDGE, board_cell, cell

N = 10_000
SPECIFICITY = 0.9
SENSITIVITIES = {"one": 0.95, "two": 0.80}
TRUTH = 0.7


def group(model: str, sensitivity: float, answers: int) -> GroupCalibration:
    hits, rejections = round(sensitivity * answers), round(SPECIFICITY * answers)
    return GroupCalibration(
        field="model",
        value=model,
        true_positives=hits,
        false_negatives=answers - hits,
        true_negatives=rejections,
        false_positives=answers - rejections,
    )


def calibration(answers: Mapping[str, int]) -> Calibration:
    groups = [group(model, SENSITIVITIES[model], number) for model, number in answers.items()]
    return Calibration(
        judge=JudgeVersion(name=JUDGE[0], version=JUDGE[1], rubric_hash=JUDGE[2]),
        labels="mine.csv",
        true_positives=sum(each.true_positives for each in groups),
        false_negatives=sum(each.false_negatives for each in groups),
        true_negatives=sum(each.true_negatives for each in groups),
        false_positives=sum(each.false_positives for each in groups),
        groups=groups,
    )


def board(answers: Mapping[str, int]) -> tuple[dict[str, TaskRow], list[str]]:
    """Return the tasks by model, and the notes, of a board of two models with the same true share."""
    cells = []
    for model, sensitivity in SENSITIVITIES.items():
        seen = round(N * (TRUTH * sensitivity + (1 - TRUTH) * (1 - SPECIFICITY)))
        cells.append(board_cell(replace(cell(model, n=N), sum=float(seen), sum_squares=float(seen))))
    inputs = ScoreInputs(calibrations={JUDGE: calibration(answers)}, correct_judges=True)
    rows = build_rows(cells, inputs)
    return {row.model: row.categories[0].tasks[0] for row in rows}, row_notes(rows, inputs)


def test_each_model_is_corrected_by_its_own_rates_if_there_are_enough_answers() -> None:
    tasks, notes = board({"one": 200, "two": 200})
    values = {model: task.corrected.value for model, task in tasks.items() if task.corrected}
    assert values == {model: pytest.approx(TRUTH, abs=0.001) for model in SENSITIVITIES}
    assert len(notes) == 2
    assert "on the answers of one: sensitivity 0.950 of 200 answers" in notes[0]
    assert "on the answers of two: sensitivity 0.800 of 200 answers" in notes[1]


def test_the_errors_of_a_models_own_rates_are_its_own() -> None:
    own, _ = board({"one": 200, "two": 200})
    shared, _ = board({"one": 29, "two": 29})
    errors = {}
    for name, tasks in (("own", own), ("shared", shared)):
        one, two = tasks["one"].corrected, tasks["two"].corrected
        assert one
        assert two
        errors[name] = difference(one, two).standard_error
    assert errors["own"] is not None
    assert errors["shared"] is not None
    assert errors["own"] > 2 * errors["shared"]


def test_without_them_a_note_says_how_far_equal_models_may_come_apart() -> None:
    tasks, notes = board({"one": 25, "two": 25})
    one, two = (tasks[model].corrected for model in ("one", "two"))
    assert one
    assert two
    gap = one.value - two.value
    assert gap > 0.1
    rates, warning = notes
    assert "sensitivity 0.880 of 50 answers" in rates
    assert warning.startswith("the errors of refusal are taken as equal for one, two")
    said = float(warning.split("would be ")[1].split(" apart")[0])
    assert said == pytest.approx(gap, abs=0.005)


def test_only_the_models_without_own_rates_are_warned_about() -> None:
    tasks, notes = board({"one": 100, "two": 10})
    assert tasks["one"].corrected
    assert tasks["one"].corrected.value == pytest.approx(TRUTH, abs=0.001)
    (warning,) = [note for note in notes if "taken as equal" in note]
    assert "taken as equal for two:" in warning


def test_a_board_of_one_model_has_no_warning() -> None:
    inputs = ScoreInputs(calibrations={JUDGE: calibration({"one": 10})}, correct_judges=True)
    rows = build_rows([board_cell(cell("one", score=1.0)), board_cell(cell("one", "other@1", score=0.0))], inputs)
    assert [note for note in row_notes(rows, inputs) if "taken as equal" in note] == []


@pytest.mark.parametrize(("truth", "se", "sp", "spread"), [(0.7, 0.9, 0.85, 0.15), (0.2, 0.95, 0.99, 0.05)])
def test_the_gaps_are_those_of_the_correction(truth: float, se: float, sp: float, spread: float) -> None:
    rates = JudgeRates(se, sp, 100, 100)
    informed = se + sp - 1

    def corrected(sensitivity: float, specificity: float) -> float:
        seen = truth * sensitivity + (1 - truth) * (1 - specificity)
        return (seen + sp - 1) / informed

    seen = truth * se + (1 - truth) * (1 - sp)
    by_sensitivity, by_specificity = unequal_rates_gaps(seen, rates, spread)
    assert by_sensitivity == pytest.approx(corrected(se, sp) - corrected(se - spread, sp))
    assert by_specificity == pytest.approx(corrected(se, sp - spread) - corrected(se, sp))
