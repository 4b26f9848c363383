"""Short trials are sent many batches at a time, long ones batch by batch; never more than there is room for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from libra.dispatch.scheduling.chunk_size import COMFORTABLE_BYTES, MOST_BATCHES, Stride
from libra.stage.batch import MAX_TRIALS


def test_the_first_is_one_batch() -> None:
    assert Stride().within(10_000) == MAX_TRIALS


def test_short_trials_go_together() -> None:
    stride = Stride()
    stride.learn(trials=MAX_TRIALS, size_bytes=300 * MAX_TRIALS)
    assert stride.within(10_000) == MOST_BATCHES * MAX_TRIALS


@given(trials=st.integers(1, 600), size_bytes=st.integers(0, 10**9), room=st.integers(-100, 10_000))
def test_it_takes_whole_batches_and_no_more_than_is_comfortable(trials: int, size_bytes: int, room: int) -> None:
    stride = Stride()
    stride.learn(trials, size_bytes)
    taken = stride.within(room)
    assert taken % MAX_TRIALS == 0
    assert max(0, min(room, MAX_TRIALS) // MAX_TRIALS) * MAX_TRIALS <= taken <= max(0, room)
    assert taken <= MAX_TRIALS or taken * size_bytes <= COMFORTABLE_BYTES * trials + taken * trials
