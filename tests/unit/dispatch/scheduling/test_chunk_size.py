"""Short trials are sent many batches at a time, long ones one batch at a time, and never more than are available."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from libra.dispatch.scheduling.chunk_size import MAX_BATCHES, TARGET_BYTES, ChunkSize
from libra.stage.batch import MAX_TRIALS


def test_the_first_chunk_is_one_batch() -> None:
    assert ChunkSize().fit(10_000) == MAX_TRIALS


def test_short_trials_are_sent_in_large_chunks() -> None:
    chunk_size = ChunkSize()
    chunk_size.observe(trials=MAX_TRIALS, size_bytes=300 * MAX_TRIALS)
    assert chunk_size.fit(10_000) == MAX_BATCHES * MAX_TRIALS


@given(trials=st.integers(1, 600), size_bytes=st.integers(0, 10**9), available=st.integers(-100, 10_000))
def test_a_chunk_is_whole_batches_of_limited_size(trials: int, size_bytes: int, available: int) -> None:
    chunk_size = ChunkSize()
    chunk_size.observe(trials, size_bytes)
    taken = chunk_size.fit(available)
    assert taken % MAX_TRIALS == 0
    assert max(0, min(available, MAX_TRIALS) // MAX_TRIALS) * MAX_TRIALS <= taken <= max(0, available)
    assert taken <= MAX_TRIALS or taken * size_bytes <= TARGET_BYTES * trials + taken * trials
