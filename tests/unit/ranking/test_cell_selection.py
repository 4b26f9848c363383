from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from libra.ranking.board.cell_selection import BoardCell, ambiguous_tasks, select_cells
from libra.store.sums.cells import Cell

from .cells import JUDGE, board_cell, cell

OTHER = ("refusal", "2", "bbbbbbbbbbbb")
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def select(
    *cells: Cell, import_times: dict[str, datetime] | None = None
) -> tuple[set[tuple[str, str, str, str]], list[str]]:
    selection = select_cells([board_cell(one) for one in cells], import_times or {})
    selected = {(e.cell.run, e.cell.model, e.cell.task, e.cell.attack) for e in selection.cells}
    return selected, list(selection.notes)


def test_the_newest_run_of_each_model_task_and_attack_counts() -> None:
    selected, notes = select(
        cell(run="R1"),
        cell(run="R2"),
        cell(run="R1", attack="few_shots"),
        cell("two", run="R1"),
    )
    assert selected == {
        ("R2", "one", "harm@1", "none"),
        ("R1", "one", "harm@1", "few_shots"),
        ("R1", "two", "harm@1", "none"),
    }
    assert notes == []


def test_the_version_imported_last_counts_whatever_ran_last() -> None:
    import_times = {"harm@1": MONDAY, "harm@2": MONDAY + timedelta(days=1)}
    selected, notes = select(
        cell("one", "harm@2", run="R1"),
        cell("two", "harm@1", run="R2"),
        cell("one", "harm@1", run="R0"),
        import_times=import_times,
    )
    assert selected == {("R1", "one", "harm@2", "none")}
    assert notes == ["harm@1 is left out, since harm@2 is newer: 20 trials of two"]


def test_an_older_version_that_a_newer_run_replaces_needs_no_note() -> None:
    import_times = {"harm@1": MONDAY, "harm@2": MONDAY + timedelta(days=1)}
    _, notes = select(cell(task="harm@1", run="R1"), cell(task="harm@2", run="R2"), import_times=import_times)
    assert notes == []


def test_without_cards_the_version_of_the_newest_run_counts() -> None:
    selected, _ = select(cell(task="harm@b", run="R1"), cell(task="harm@a", run="R2"))
    assert selected == {("R2", "one", "harm@a", "none")}


def test_two_judges_of_a_task_are_never_compared() -> None:
    selected, notes = select(cell("one", run="R1"), cell("two", run="R2", judges=(OTHER,)))
    assert selected == {("R2", "two", "harm@1", "none")}
    assert len(notes) == 1
    assert notes[0] == (
        "harm as judged by refusal 1 (aaaaaaaaaaaa) is left out, since the newest run has refusal 2 (bbbbbbbbbbbb): "
        "20 trials of one"
    )


def test_one_judge_holds_for_a_task_under_all_its_attacks() -> None:
    selected, notes = select(cell(run="R1"), cell(run="R2", attack="few_shots", judges=(OTHER,)))
    assert selected == {("R2", "one", "harm@1", "few_shots")}
    assert len(notes) == 1


def test_an_older_cell_with_one_judge_replaces_a_cell_with_two_judges_and_is_noted() -> None:
    selected, notes = select(cell(run="R1"), cell(run="R2", judges=(JUDGE, OTHER)))
    assert selected == {("R1", "one", "harm@1", "none")}
    assert len(notes) == 1
    assert "refusal 1 (aaaaaaaaaaaa) and refusal 2 (bbbbbbbbbbbb) is left out" in notes[0]


def test_nothing_counts_if_every_cell_has_two_judges() -> None:
    selected, notes = select(cell(judges=(JUDGE, OTHER)))
    assert selected == set()
    assert "no run has a single judge" in notes[0]


def test_a_cell_without_a_judge_is_compatible_with_any_judge() -> None:
    selected, notes = select(cell("one", run="R2", n=0, failed=20), cell("two", run="R1"))
    assert selected == {("R2", "one", "harm@1", "none"), ("R1", "two", "harm@1", "none")}
    assert notes == []


def test_each_task_has_its_own_judge() -> None:
    selected, notes = select(cell(task="harm@1"), cell(task="harm.2@1", judges=(OTHER,)))
    assert len(selected) == 2
    assert notes == []


def test_only_tasks_with_several_versions_are_ambiguous() -> None:
    board_cells = [board_cell(cell(task=task)) for task in ("a@1", "b@1", "b@2", "b@1")]
    assert ambiguous_tasks(board_cells) == ["b@1", "b@2"]


cells = st.builds(
    cell,
    st.sampled_from(["one", "two", "three"]),
    st.sampled_from(["a@1", "a@2", "b@1"]),
    run=st.sampled_from(["R1", "R2", "R3"]),
    attack=st.sampled_from(["none", "few_shots"]),
    judges=st.sampled_from([(JUDGE,), (OTHER,), (JUDGE, OTHER)]),
    n=st.sampled_from([0, 20]),
    failed=st.just(1),
)


@given(
    st.lists(cells, unique_by=lambda c: (c.run, c.model, c.task, c.attack)).map(lambda made: [*map(board_cell, made)])
)
def test_a_board_has_one_run_version_and_judge_for_each_task(board_cells: list[BoardCell]) -> None:
    selection = select_cells(board_cells, {})
    selected = [(e.cell.model, e.task_name, e.cell.attack) for e in selection.cells]
    assert len(selected) == len(set(selected))
    for name in ("a", "b"):
        same = [e for e in selection.cells if e.task_name == name]
        assert len({e.task_version for e in same}) <= 1
        assert len({judge for e in same for judge in e.cell.judges}) <= 1
    assert all(e in board_cells for e in selection.cells)
    assert select_cells(list(reversed(board_cells)), {}) == selection
