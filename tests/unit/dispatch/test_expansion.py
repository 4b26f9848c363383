from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from libra.dispatch.scheduling.expansion import Grid, next_stretch, sent, total
from libra.store.runs import RunSection
from libra.v1.task_pb2 import Category, JudgeSpec

sections = st.lists(st.integers(1, 300), min_size=1, max_size=6).map(
    lambda sizes: [
        RunSection(f"task-{place}@0", "none", Category.CATEGORY_CAPABILITY, size, JudgeSpec(name="exact"))
        for place, size in enumerate(sizes)
    ]
)


@given(sections=sections, most=st.integers(1, 64))
def test_walking_the_line_meets_every_trial_once(sections: list[RunSection], most: int) -> None:
    met, cursor = [], 0
    while stretch := next_stretch(sections, cursor, most):
        assert 0 < stretch.stop - stretch.start <= most
        met += [(stretch.section.task, place) for place in range(stretch.start, stretch.stop)]
        cursor += stretch.stop - stretch.start
    assert cursor == total(sections)
    assert met == [(section.task, place) for section in sections for place in range(section.trials)]


@given(sections=sections, share=st.floats(0, 1))
def test_what_was_sent_adds_up_to_the_cursor(sections: list[RunSection], share: float) -> None:
    cursor = int(share * total(sections))
    assert sum(count for _, count in sent(sections, cursor)) == cursor


@given(size=st.integers(1, 200), wanted=st.integers(0, 300), epochs=st.integers(1, 4), seed=st.integers(0, 9))
def test_a_grid_holds_each_chosen_sample_once_an_epoch(size: int, wanted: int, epochs: int, seed: int) -> None:
    grid = Grid.of("task@0", size, wanted=wanted, epochs=epochs, seed=seed)
    places = grid.between(0, len(grid))
    assert len(set(places)) == len(places) == min(size, wanted or size) * epochs
    assert places == sorted(places)
    assert all(0 <= sample < size and 0 <= epoch < epochs for sample, epoch in places)


def test_the_seed_and_the_task_choose_the_samples() -> None:
    def chosen(task: str, seed: int) -> list[tuple[int, int]]:
        return Grid.of(task, 1000, wanted=20, epochs=1, seed=seed).between(0, 20)

    assert chosen("a@0", 1) == chosen("a@0", 1)
    assert chosen("a@0", 1) != chosen("a@0", 2)
    assert chosen("a@0", 1) != chosen("b@0", 1)
