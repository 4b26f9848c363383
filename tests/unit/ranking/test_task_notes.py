from __future__ import annotations

from dataclasses import replace

from libra.ranking.board.task_notes import task_notes
from libra.store.sums.label_sums import LabelSums
from libra.v1.task_pb2 import Task

from .cells import board_cell, cell


def labelled(model: str = "one", **counts: int) -> object:
    labels = {label: LabelSums(n, n * 0.5, n * 0.25) for label, n in counts.items()}
    return replace(cell(model, "ethics@1", n=20), labels=labels)


def notes(*cells: object, caveat: str = "", balanced_by: str = "") -> list[str]:
    card = Task(name="ethics", version="1", caveat=caveat, balanced_by=balanced_by)
    return task_notes([board_cell(each) for each in cells], [card])  # type: ignore[arg-type]  # they are cells


def test_the_caveats_of_the_tasks_are_noted() -> None:
    assert notes(labelled(yes=12, no=8), caveat="Every scene is immoral.") == ["ethics: Every scene is immoral."]


def test_a_balanced_score_needs_no_note() -> None:
    assert notes(labelled(yes=12, no=8), balanced_by="immoral") == []
    assert task_notes([board_cell(cell())], []) == []


def test_a_score_that_should_be_balanced_and_is_not_is_noted() -> None:
    for old in (cell(task="ethics@1"), labelled(yes=12)):
        [note] = notes(old, balanced_by="immoral")
        assert note.startswith("not balanced over the gold labels")
        assert note.endswith(": ethics")
    assert notes(cell(task="ethics@1", n=0, failed=3), balanced_by="immoral") == []


def test_a_task_of_one_label_is_noted() -> None:
    [note] = notes(labelled(yes=20))
    assert note == "ethics has samples of one gold label alone (yes): nothing to balance over"


def test_a_model_that_lacks_a_label_is_noted() -> None:
    [note] = notes(labelled("one", yes=12, no=8), labelled("two", yes=20))
    assert note == "ethics is balanced without the gold label no for two: no trial counts"
