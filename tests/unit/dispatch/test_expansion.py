from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from libra.dispatch.scheduling.expansion import TrialGrid, next_chunk, sent_trials
from libra.dispatch.spec.run_spec import total_trials
from libra.store.runs import RunSection
from libra.v1.task_pb2 import Category, JudgeSpec

sections = st.lists(st.integers(1, 300), min_size=1, max_size=6).map(
    lambda sizes: [
        RunSection(f"task-{index}@0", "none", Category.CATEGORY_CAPABILITY, size, JudgeSpec(name="exact"))
        for index, size in enumerate(sizes)
    ]
)


@given(sections=sections, max_trials=st.integers(1, 64))
def test_the_chunks_contain_every_trial_once(sections: list[RunSection], max_trials: int) -> None:
    seen, cursor = [], 0
    while chunk := next_chunk(sections, cursor, max_trials):
        assert 0 < chunk.stop - chunk.start <= max_trials
        seen += [(chunk.section.task, position) for position in range(chunk.start, chunk.stop)]
        cursor += chunk.stop - chunk.start
    assert cursor == total_trials(sections)
    assert seen == [(section.task, position) for section in sections for position in range(section.trials)]


@given(sections=sections, fraction=st.floats(0, 1))
def test_the_sent_trials_add_up_to_the_cursor(sections: list[RunSection], fraction: float) -> None:
    cursor = int(fraction * total_trials(sections))
    assert sum(count for _, count in sent_trials(sections, cursor)) == cursor


@given(size=st.integers(1, 200), wanted=st.integers(0, 300), epochs=st.integers(1, 4), seed=st.integers(0, 9))
def test_a_grid_has_each_selected_sample_once_per_epoch(size: int, wanted: int, epochs: int, seed: int) -> None:
    grid = TrialGrid.for_task("task@0", size, samples_per_task=wanted, epochs=epochs, seed=seed)
    trials = grid.trials_between(0, len(grid))
    assert len(set(trials)) == len(trials) == min(size, wanted or size) * epochs
    assert trials == sorted(trials)
    assert all(0 <= sample < size and 0 <= epoch < epochs for sample, epoch in trials)


def test_the_seed_and_the_task_determine_the_samples() -> None:
    def selected(task: str, seed: int) -> list[tuple[int, int]]:
        grid = TrialGrid.for_task(task, 1000, samples_per_task=20, epochs=1, seed=seed)
        return grid.trials_between(0, 20)

    assert selected("a@0", 1) == selected("a@0", 1)
    assert selected("a@0", 1) != selected("a@0", 2)
    assert selected("a@0", 1) != selected("b@0", 1)
