from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from libra.ranking.board.cell_selection import Entry, ambiguous, choose
from libra.store.cells import Cell

from .cells import JUDGE, cell, entry

OTHER = ("refusal", "2", "bbbbbbbbbbbb")
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def chosen(*cells: Cell, ages: dict[str, datetime] | None = None) -> tuple[set[tuple[str, str, str, str]], list[str]]:
    selection = choose([entry(one) for one in cells], ages or {})
    places = {(e.cell.run, e.cell.model, e.cell.task, e.cell.attack) for e in selection.entries}
    return places, list(selection.notes)


def test_the_newest_run_of_each_model_task_and_attack_counts() -> None:
    places, notes = chosen(
        cell(run="R1"),
        cell(run="R2"),
        cell(run="R1", attack="few_shots"),
        cell("two", run="R1"),
    )
    assert places == {
        ("R2", "one", "harm@1", "none"),
        ("R1", "one", "harm@1", "few_shots"),
        ("R1", "two", "harm@1", "none"),
    }
    assert notes == []


def test_the_version_imported_last_counts_whoever_ran_last() -> None:
    ages = {"harm@1": MONDAY, "harm@2": MONDAY + timedelta(days=1)}
    places, notes = chosen(
        cell("one", "harm@2", run="R1"), cell("two", "harm@1", run="R2"), cell("one", "harm@1", run="R0"), ages=ages
    )
    assert places == {("R1", "one", "harm@2", "none")}
    assert notes == ["harm@1 is left out, since harm@2 is newer: 20 trials of two"]


def test_a_version_that_was_only_superseded_needs_no_note() -> None:
    ages = {"harm@1": MONDAY, "harm@2": MONDAY + timedelta(days=1)}
    _, notes = chosen(cell(task="harm@1", run="R1"), cell(task="harm@2", run="R2"), ages=ages)
    assert notes == []


def test_without_the_cards_the_newest_runs_version_counts() -> None:
    places, _ = chosen(cell(task="harm@b", run="R1"), cell(task="harm@a", run="R2"))
    assert places == {("R2", "one", "harm@a", "none")}


def test_two_judges_of_a_task_are_never_compared() -> None:
    places, notes = chosen(cell("one", run="R1"), cell("two", run="R2", judges=(OTHER,)))
    assert places == {("R2", "two", "harm@1", "none")}
    assert len(notes) == 1
    assert notes[0] == (
        "harm as judged by refusal 1 (aaaaaaaaaaaa) is left out, since the newest run has refusal 2 (bbbbbbbbbbbb): "
        "20 trials of one"
    )


def test_one_judge_holds_for_a_task_under_all_its_attacks() -> None:
    places, notes = chosen(cell(run="R1"), cell(run="R2", attack="few_shots", judges=(OTHER,)))
    assert places == {("R2", "one", "harm@1", "few_shots")}
    assert len(notes) == 1


def test_a_cell_with_two_judges_gives_way_to_an_older_one_with_one_and_that_is_said() -> None:
    places, notes = chosen(cell(run="R1"), cell(run="R2", judges=(JUDGE, OTHER)))
    assert places == {("R1", "one", "harm@1", "none")}
    assert len(notes) == 1
    assert "refusal 1 (aaaaaaaaaaaa) and refusal 2 (bbbbbbbbbbbb) is left out" in notes[0]


def test_nothing_counts_if_every_cell_has_two_judges() -> None:
    places, notes = chosen(cell(judges=(JUDGE, OTHER)))
    assert places == set()
    assert "no run has a single one" in notes[0]


def test_a_cell_that_nobody_judged_goes_with_any_judge() -> None:
    places, notes = chosen(cell("one", run="R2", n=0, failed=20), cell("two", run="R1"))
    assert places == {("R2", "one", "harm@1", "none"), ("R1", "two", "harm@1", "none")}
    assert notes == []


def test_other_tasks_keep_their_own_judge() -> None:
    places, notes = chosen(cell(task="harm@1"), cell(task="harm.2@1", judges=(OTHER,)))
    assert len(places) == 2
    assert notes == []


def test_only_tasks_with_several_versions_need_to_be_looked_up() -> None:
    entries = [entry(cell(task=task)) for task in ("a@1", "b@1", "b@2", "b@1")]
    assert ambiguous(entries) == ["b@1", "b@2"]


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


@given(st.lists(cells, unique_by=lambda c: (c.run, c.model, c.task, c.attack)).map(lambda made: [*map(entry, made)]))
def test_a_board_takes_one_run_version_and_judge_of_anything(entries: list[Entry]) -> None:
    selection = choose(entries, {})
    places = [(e.cell.model, e.name, e.cell.attack) for e in selection.entries]
    assert len(places) == len(set(places))
    for name in ("a", "b"):
        same = [e for e in selection.entries if e.name == name]
        assert len({e.version for e in same}) <= 1
        assert len({judge for e in same for judge in e.cell.judges}) <= 1
    assert all(e in entries for e in selection.entries)
    assert choose(list(reversed(entries)), {}) == selection
