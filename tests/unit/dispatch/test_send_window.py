from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from libra.dispatch.scheduling.send_window import Room


@given(st.integers(0, 2000), st.integers(64, 10_000), st.integers(0, 10_000), st.integers(0, 5000))
def test_no_run_has_more_in_flight_than_its_window(limit: int, most: int, in_flight: int, waiting: int) -> None:
    room = Room.of(limit, most)
    assert room.share <= room.most == most
    assert 0 <= room.has(in_flight) <= max(0, most - in_flight)
    assert 0 <= room.beside(in_flight, waiting) <= max(0, most - in_flight)


def test_a_share_keeps_a_model_busy() -> None:
    assert [Room.of(limit, 4096).share for limit in (0, 8, 32, 500, 5000)] == [272, 272, 320, 1256, 4096]


def test_beyond_the_share_a_run_sends_only_what_does_not_wait() -> None:
    room = Room.of(32, 4096)
    assert room.has(300) == 20
    assert room.has(400) == 0
    assert room.beside(400, 5) == 0
    assert room.beside(400, 3) == 2 * 64
    assert room.beside(400, 0) == 5 * 64
    assert room.beside(4090, 0) == 6


def test_a_share_holds_what_a_fast_model_answers_before_the_next_look() -> None:
    room = Room.of(500, 4096)
    assert [room.at(per_second).share for per_second in (0, 100, 2000, 100_000)] == [1256, 1331, 2756, 4096]
