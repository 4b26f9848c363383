from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from libra.stage.batch import MAX_BYTES, MAX_TRIALS, content_key, split
from libra.v1.batch_pb2 import Trial
from libra.v1.message_pb2 import Message


def trial(sample: int, size_bytes: int) -> Trial:
    return Trial(sample=sample, messages=[Message(role="user", content="x" * size_bytes)])


sizes = st.lists(st.one_of(st.integers(0, 100), st.integers(MAX_BYTES // 8, MAX_BYTES * 2)), max_size=150)


@given(sizes=sizes)
def test_batches_keep_the_order_and_the_limits(sizes: list[int]) -> None:
    trials = [trial(sample, size) for sample, size in enumerate(sizes)]
    parts = split(trials)
    assert [t for part in parts for t in part] == trials
    for part in parts:
        assert 1 <= len(part) <= MAX_TRIALS
        assert sum(t.ByteSize() for t in part) <= MAX_BYTES or len(part) == 1


@given(sizes=sizes)
def test_batches_are_as_full_as_the_limits_allow(sizes: list[int]) -> None:
    parts = split([trial(sample, size) for sample, size in enumerate(sizes)])
    for part, following in pairwise(parts):
        bytes_with_the_next = sum(t.ByteSize() for t in part) + following[0].ByteSize()
        assert len(part) == MAX_TRIALS or bytes_with_the_next > MAX_BYTES


def test_small_trials_make_batches_of_64() -> None:
    assert [len(part) for part in split([trial(n, 10) for n in range(130)])] == [64, 64, 2]
    assert split([]) == []


def test_a_key_depends_on_content_and_kind() -> None:
    assert content_key("trials", b"a") == content_key("trials", b"a")
    assert len({content_key("trials", b"a"), content_key("trials", b"b"), content_key("verdicts", b"a")}) == 3
    assert content_key("trials", b"").startswith("trials/")
