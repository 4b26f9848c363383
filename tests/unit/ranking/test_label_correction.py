"""Boards whose scores are corrected by labels that people gave to a part of the answers."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from libra.ranking.board.board import ModelRow, build_rows
from libra.ranking.board.cell_labels import CellLabels
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.label_correction import MIN_LABELS
from libra.ranking.board.label_notes import label_notes
from libra.ranking.board.scores import ScoreInputs
from libra.statistics.influence import mean
from libra.statistics.prediction_powered import LabelledTrials
from libra.statistics.score import TrialsBySample
from libra.store.sums.cells import Cell, CellKey
from libra.store.sums.sample_sums import SampleSums
from libra.v1.task_pb2 import Category

from .cells import CALIBRATION, JUDGE, board_cell, cell

N, TRUTH = 2_000, 0.7
NO_TRIALS = TrialsBySample("harm@1", [], [], [])


class World:
    """Models whose right answers the judge finds at different rates, on the same samples."""

    def __init__(self) -> None:
        self.cells: list[BoardCell] = []
        self.sums: dict[CellKey, SampleSums] = {}
        self.labels: dict[CellKey, CellLabels] = {}
        self._generator = np.random.default_rng(8)

    def add(self, model: str, sensitivity: float, labels: int, *, task: str = "harm@1", drawn: int = 0) -> Cell:
        right = self._generator.random(N) < TRUTH
        judged = np.where(right, self._generator.random(N) < sensitivity, self._generator.random(N) < 0.1).astype(float)
        made = replace(cell(model, task, n=N), sum=float(judged.sum()), sum_squares=float(judged.sum()))
        self.cells.append(board_cell(made))
        self.sums[made.key] = SampleSums(array("i", range(N)), array("i", [1] * N), array("d", judged))
        if labels:
            self.labels[made.key] = CellLabels(
                LabelledTrials(range(labels), judged[:labels].tolist(), right[:labels].astype(float).tolist()),
                drawn or labels,
                0,
                NO_TRIALS,
            )
        return made

    def inputs(self, **more: Any) -> ScoreInputs:
        return ScoreInputs(sample_sums=self.sums, labels=self.labels, use_labels=True, **more)

    def rows(self, **more: Any) -> Mapping[str, ModelRow]:
        return {row.model: row for row in build_rows(self.cells, self.inputs(**more))}

    def notes(self, **more: Any) -> Sequence[str]:
        inputs = self.inputs(**more)
        return label_notes(build_rows(self.cells, inputs), inputs)


def test_labels_undo_the_errors_of_a_judge_that_differ_between_models() -> None:
    world = World()
    for model, sensitivity in (("one", 0.95), ("two", 0.80)):
        world.add(model, sensitivity, 400)
    rows = world.rows()
    judged = {model: row.categories[0].tasks[0].score for model, row in rows.items()}
    assert judged["one"]
    assert judged["two"]
    assert judged["one"].value - judged["two"].value > 0.07
    for row in rows.values():
        assert row.categories[0].tasks[0].labels == 400
        assert row.safety
        assert row.safety.standard_error
        assert abs(row.safety.value - TRUTH) < 2.5 * row.safety.standard_error
        assert row.safety.standard_error < 0.026
    assert world.notes() == [
        "2 scores are corrected by 800 labels of people, 400 each (prediction-powered inference): harm"
    ]


def test_labels_are_used_only_on_request() -> None:
    world = World()
    world.add("one", 0.8, 400)
    (row,) = build_rows(world.cells, replace(world.inputs(), use_labels=False))
    assert row.categories[0].tasks[0].labelled is None
    assert row.safety
    assert row.categories[0].tasks[0].score
    assert row.safety.value == row.categories[0].tasks[0].score.value


def test_too_few_labels_correct_nothing_and_the_notes_say_why() -> None:
    world = World()
    world.add("one", 0.8, MIN_LABELS)
    world.add("one", 0.8, MIN_LABELS - 1, task="other@1")
    world.add("one", 0.8, 0, task="third@1")
    labelled = {task.label: task.labelled is not None for task in world.rows()["one"].categories[0].tasks}
    assert labelled == {"harm": True, "other": False, "third": False}
    used, few, none = world.notes()
    assert used == "1 score is corrected by 30 labels of people, 30 each (prediction-powered inference): harm"
    assert "fewer than 30 answers that were drawn at random have a label" in few
    assert "wider than 20 points: other (one: 29)" in few
    assert none == "not corrected by labels, since no answer that was drawn at random has a label: third (one: 0)"


def test_a_note_says_which_models_have_no_labels() -> None:
    world = World()
    world.add("one", 0.95, 100)
    world.add("two", 0.8, 0)
    world.add("three", 0.8, 50, task="other@1")
    notes = world.notes()
    assert (
        "labels cover only one, three: the scores of two are as judged, and a difference between the two may be the "
        "judge's" in notes
    )
    world.add("three", 0.8, 0)
    assert "corrected by labels for a part of the models only: harm" in world.notes()


def test_a_note_counts_drawn_answers_without_a_label_and_labels_that_were_not_drawn() -> None:
    world = World()
    key = world.add("one", 0.95, 40, drawn=50).key
    world.labels[key] = replace(world.labels[key], hand_picked=3)
    assert world.notes()[1:] == [
        "10 of 50 answers that were drawn have no label: they are taken to be like the others",
        "labels of answers that were not drawn at random are not used: 3",
    ]


def test_labels_go_before_a_calibration_task_by_task() -> None:
    world = World()
    world.add("one", 0.8, 400)
    world.add("one", 0.8, 0, task="other@1")
    row = world.rows(correct_judges=True, calibrations={JUDGE: CALIBRATION})["one"]
    labelled, calibrated = row.categories[0].tasks
    assert labelled.labelled
    assert calibrated.corrected
    assert row.safety
    assert row.safety.value == pytest.approx((labelled.labelled.value + calibrated.corrected.value) / 2)


def test_filtered_answers_need_no_label() -> None:
    world = World()
    made = world.add("one", 0.95, 0)
    blocked = replace(made, scored=N // 2, filtered=N // 2)
    world.cells[0] = board_cell(blocked)
    judged = world.sums[made.key].sums
    filtered = TrialsBySample("harm@1", range(N // 2, N), [1] * (N // 2), list(judged[N // 2 :]))
    world.labels[made.key] = CellLabels(LabelledTrials(range(50), judged[:50].tolist(), [0.0] * 50), 50, 0, filtered)
    (task,) = world.rows()["one"].categories[0].tasks
    assert task.labelled
    # People call every judged answer wrong; the blocked ones keep their scores.
    assert task.labelled.value == pytest.approx(sum(filtered.sums) / N, abs=0.02)
    assert task.labelled.n == N
    everything = replace(made, scored=0, filtered=N)
    world.cells[0], world.labels = board_cell(everything), {}
    (task,) = world.rows()["one"].categories[0].tasks
    assert task.score
    assert task.labelled
    assert task.labelled.value == task.score.value
    assert world.notes() == []


def test_labels_of_all_answers_of_a_small_task_are_enough() -> None:
    world = World()
    small = cell("one", "small@1", n=5, score=1.0)
    world.cells.append(board_cell(small))
    world.sums[small.key] = SampleSums(array("i", range(5)), array("i", [1] * 5), array("d", [1.0] * 5))
    labels = [1.0, 0.0, 1.0, 1.0, 0.0]
    world.labels[small.key] = CellLabels(LabelledTrials(range(5), [1.0] * 5, labels), 5, 0, NO_TRIALS)
    (task,) = world.rows()["one"].categories[0].tasks
    expected = mean(TrialsBySample("small@1", range(5), [1] * 5, labels))
    assert expected
    assert task.labelled
    assert task.labelled.value == pytest.approx(0.6)
    assert task.labelled.standard_error == pytest.approx(expected.standard_error)


def test_labels_wait_for_the_sums_by_sample() -> None:
    world = World()
    world.add("one", 0.95, 50)
    world.sums = {}
    assert world.rows()["one"].categories[0].tasks[0].labelled is None
    assert world.notes() == [
        "not corrected by labels, since the sums by sample are not known yet: harm (one: 50)",
        "no score is corrected by labels; `libra labels draw RUN` begins with labelling",
    ]


def test_benchmark_accuracies_are_computed_for_tasks_categories_and_models() -> None:
    capability = int(Category.CATEGORY_CAPABILITY)
    cells = [cell("one", "harm@1", n=40, score=0.5), cell("one", "maths@1", n=40, score=0.5, category=capability)]
    sums = {
        each.key: SampleSums(array("i", range(20)), array("i", [2] * 20), array("d", [2.0, 0.0] * 10)) for each in cells
    }
    cells = [replace(each, sum_squares=20.0) for each in cells]
    boards = list(map(board_cell, cells))
    (plain,) = build_rows(boards, ScoreInputs(sample_sums=sums))
    assert plain.benchmark.overall is None
    assert plain.categories[0].benchmark is None
    (row,) = build_rows(boards, ScoreInputs(sample_sums=sums, benchmark_accuracy=True))
    assert row.benchmark.overall
    assert row.overall
    assert row.benchmark.overall.value == row.overall.value
    assert row.benchmark.safety
    assert row.safety
    assert (row.benchmark.safety.standard_error or 0) < 0.3 * (row.safety.standard_error or 0)
    assert row.categories[0].tasks[0].benchmark
    # Without the sums by sample, the value is known and its error is not.
    (without,) = build_rows(boards, ScoreInputs(benchmark_accuracy=True))
    assert without.benchmark.safety
    assert without.benchmark.safety.standard_error is None
