from __future__ import annotations

from dataclasses import replace

from libra.ranking.board.board import rows
from libra.ranking.board.board_notes import on_gathering, on_rows
from libra.ranking.board.scores import Basis
from libra.ranking.queries.sample_sums_loader import Gathered
from libra.v1.calibration_pb2 import Calibration
from libra.v1.ranking_pb2 import Capability
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import JudgeVersion

from .cells import JUDGE, cell, entry

ABLE = Category.CATEGORY_CAPABILITY
CALIBRATION = Calibration(
    judge=JudgeVersion(name=JUDGE[0], version=JUDGE[1], rubric_hash=JUDGE[2]),
    labels="refusal.csv",
    true_positives=45,
    false_negatives=5,
    true_negatives=38,
    false_positives=2,
)


def test_what_is_all_there_needs_no_note() -> None:
    assert on_gathering(Gathered({}, 0, 0), 0) == []
    one = [entry(cell("one")), entry(cell("one", "math@1", category=ABLE))]
    assert on_rows(rows(one), Basis()) == []


def test_which_errors_are_not_clustered_is_said_with_the_reason() -> None:
    pending, absent, moving = on_gathering(Gathered({}, 1, 1200), 2)
    assert pending.startswith("1 score is not yet taken apart by sample")
    assert absent.startswith("1,200 scores are without all their verdicts in the store")
    assert moving.startswith("2 scores are of a run that goes on")


def test_capabilities_of_two_kinds_are_told_apart() -> None:
    figure = Capability(model="two", value=0.5, scale="elo", zero=800, one=1500, source="arena.csv")
    entries = [entry(cell("one")), entry(cell("one", "math@1", category=ABLE)), entry(cell("two"))]
    basis = Basis(capabilities={"two": figure})
    kinds, unsure = on_rows(rows(entries, basis), basis)
    assert kinds == (
        "capability is not of one kind, so Overall is not either: "
        "elo, 800 to 1500, from arena.csv for two; tasks for one"
    )
    assert unsure.startswith("the imported capability of two came without a standard error")


def test_what_was_corrected_and_what_was_not_is_said() -> None:
    right = replace(cell("one"), sum=10.0, sum_squares=10.0)
    graded = cell("one", "graded@1")
    other = cell("one", "other@1", judges=(("exact", "1", ""),))
    basis = Basis(calibrations={JUDGE: CALIBRATION}, correct=True)
    notes = on_rows(rows([entry(right), entry(graded), entry(other)], basis), basis)
    assert notes == [
        (
            "1 score is corrected for the errors of refusal 1, as measured by refusal.csv: "
            "sensitivity 0.900 of 50 answers, specificity 0.950 of 40"
        ),
        "not corrected, since scores between 0 and 1 are neither right nor wrong: graded",
        "not corrected, since the judge is not calibrated in this version: other",
    ]


def test_a_calibration_that_says_too_little_corrects_nothing() -> None:
    right = replace(cell("one"), sum=10.0, sum_squares=10.0)
    one_kind = Calibration(judge=CALIBRATION.judge, true_positives=9, false_negatives=1)
    blind = Calibration(true_positives=5, false_negatives=5, true_negatives=5, false_positives=5)
    for calibration, why in ((one_kind, "by labels of one kind alone: harm"), (blind, "the judge tells nothing: harm")):
        basis = Basis(calibrations={JUDGE: calibration}, correct=True)
        [note] = on_rows(rows([entry(right)], basis), basis)
        assert note.endswith(why)
