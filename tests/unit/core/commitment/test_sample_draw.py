from __future__ import annotations

import hashlib
import hmac
import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from libra.commitment.sample_draw import FRESH, RESERVED, anchor_count, draw, from_ranges, to_ranges

SEED = bytes(range(32))


def test_a_rank_is_an_hmac_that_every_language_has() -> None:
    ranks = {n: hmac.new(SEED, f"fresh/math/{n}".encode(), hashlib.sha256).digest() for n in range(50)}
    assert draw(SEED, FRESH, "math", range(50), 5) == sorted(ranks, key=ranks.__getitem__)[:5]


@given(st.binary(min_size=32, max_size=32), st.integers(0, 30), st.integers(0, 30))
def test_a_draw_has_distinct_ordinals_and_can_be_repeated(seed: bytes, size: int, count: int) -> None:
    drawn = draw(seed, FRESH, "math", range(size), count)
    assert len(set(drawn)) == len(drawn) == min(size, count)
    assert drawn == draw(seed, FRESH, "math", reversed(range(size)), count)


def test_a_draw_depends_on_the_seed_the_purpose_and_the_task() -> None:
    draws = [
        draw(SEED, FRESH, "math", range(1000), 20),
        draw(bytes(32), FRESH, "math", range(1000), 20),
        draw(SEED, RESERVED, "math", range(1000), 20),
        draw(SEED, FRESH, "history", range(1000), 20),
    ]
    assert len({tuple(sorted(each)) for each in draws}) == 4


def test_every_sample_is_drawn_equally_often() -> None:
    counts = Counter(n for i in range(4000) for n in draw(i.to_bytes(32, "big"), FRESH, "t", range(10), 3))
    # 1,200 expected; the standard deviation is 29.
    assert all(1050 < counts[n] < 1350 for n in range(10))


@given(st.sets(st.integers(0, 60)))
def test_ranges_hold_exactly_their_ordinals(ordinals: set[int]) -> None:
    ranges = to_ranges(sorted(ordinals))
    assert set(from_ranges(ranges)) == ordinals
    assert all(stop < first for (_, stop), (first, _) in itertools.pairwise(ranges))


def test_a_share_of_anchors_is_rounded_and_at_least_one() -> None:
    assert [anchor_count(0.15, n) for n in (1, 4, 20, 100)] == [1, 1, 3, 15]
    assert anchor_count(0, 100) == 0
