from __future__ import annotations

from dataclasses import replace

from libra.ranking.board.board import build_rows
from libra.ranking.board.board_notes import row_notes, sample_sums_notes, shorten_list
from libra.ranking.board.scores import ScoreInputs
from libra.v1.calibration_pb2 import Calibration
from libra.v1.ranking_pb2 import Capability
from libra.v1.task_pb2 import Category

from .cells import CALIBRATION, JUDGE, board_cell, cell

ABLE = Category.CATEGORY_CAPABILITY


def test_a_complete_board_has_no_notes() -> None:
    assert sample_sums_notes(pending=0, absent=0, growing=0) == []
    one = [board_cell(cell("one")), board_cell(cell("one", "math@1", category=ABLE))]
    assert row_notes(build_rows(one), ScoreInputs()) == []


def test_errors_that_are_not_clustered_are_noted_with_the_reason() -> None:
    pending, absent, growing = sample_sums_notes(pending=1, absent=1200, growing=2)
    assert pending.startswith("1 score is not yet divided by sample")
    assert absent.startswith("1,200 scores are without all their verdicts in the store")
    assert growing.startswith("2 scores are of an unfinished run")


def test_capabilities_from_two_sources_are_noted() -> None:
    figure = Capability(model="two", value=0.5, scale="elo", zero=800, one=1500, source="arena.csv")
    board_cells = [board_cell(cell("one")), board_cell(cell("one", "math@1", category=ABLE)), board_cell(cell("two"))]
    inputs = ScoreInputs(capabilities={"two": figure})
    kinds, unsure = row_notes(build_rows(board_cells, inputs), inputs)
    assert kinds == (
        "capability comes from different sources, and so does Overall: "
        "elo, 800 to 1500, from arena.csv for two; tasks for one"
    )
    assert unsure.startswith("the imported capability of two has no standard error")


def test_corrected_and_uncorrected_scores_are_noted() -> None:
    right = replace(cell("one"), sum=10.0, sum_squares=10.0)
    graded = cell("one", "graded@1")
    other = cell("one", "other@1", judges=(("exact", "1", ""),))
    inputs = ScoreInputs(calibrations={JUDGE: CALIBRATION}, correct_judges=True)
    notes = row_notes(build_rows([board_cell(right), board_cell(graded), board_cell(other)], inputs), inputs)
    assert notes == [
        (
            "1 score is corrected for the errors of refusal 1, as measured by refusal.csv: "
            "sensitivity 0.900 of 50 answers, specificity 0.950 of 40"
        ),
        "not corrected, since scores between 0 and 1 are neither right nor wrong: graded",
        "not corrected, since the judge is not calibrated in this version: other",
    ]


def test_a_calibration_without_information_corrects_nothing() -> None:
    right = replace(cell("one"), sum=10.0, sum_squares=10.0)
    one_label = Calibration(judge=CALIBRATION.judge, true_positives=9, false_negatives=1)
    chance = Calibration(true_positives=5, false_negatives=5, true_negatives=5, false_positives=5)
    for calibration, reason in (
        (one_label, "with only one of the two labels: harm"),
        (chance, "the judge is no better than chance: harm"),
    ):
        inputs = ScoreInputs(calibrations={JUDGE: calibration}, correct_judges=True)
        [note] = row_notes(build_rows([board_cell(right)], inputs), inputs)
        assert note.endswith(reason)


def test_a_long_list_of_names_ends_with_the_number_of_the_others() -> None:
    assert shorten_list(["a", "b"]) == "a, b"
    assert shorten_list([*"abcdefghij"]) == "a, b, c, d, e, f, g, h, and 2 more"
