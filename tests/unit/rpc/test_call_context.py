"""What a call brings along is read with suspicion."""

from __future__ import annotations

import contextvars
import time

import pytest

from libra.rpc.call_context import CURRENT, UNLIMITED_SECONDS, CallContext, request_id, time_left


@pytest.mark.parametrize("given", ["abc", "a-B_9.x", "x" * 64])
def test_a_sound_request_id_is_kept(given: str) -> None:
    assert CallContext.from_metadata([("user-agent", "x"), ("x-request-id", given)], None).request_id == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\nb", "é", b"bytes", '{"level":"error"}'])
def test_another_is_replaced(given: str | bytes) -> None:
    made = CallContext.from_metadata([("x-request-id", given)], None).request_id
    assert made != given
    assert len(made) == 26


def test_outside_of_any_call_ids_are_new_and_time_is_ones_own() -> None:
    assert request_id() != request_id()
    assert time_left(5.0) == 5.0
    assert time_left(None) is None


@pytest.mark.parametrize(
    ("remaining", "wanted", "left"),
    [
        (10.0, 3.0, 3.0),
        (3.0, 10.0, 3.0),
        (3.0, None, 3.0),
        (0.0, 10.0, 0.0),
        (-5.0, 10.0, 0.0),
        (None, 10.0, 10.0),
        (UNLIMITED_SECONDS * 2, None, None),
    ],
)
def test_no_more_time_is_left_than_the_caller_gives(
    remaining: float | None, wanted: float | None, left: float | None
) -> None:
    def seen() -> float | None:
        CURRENT.set(CallContext.from_metadata([], remaining))
        return time_left(wanted)

    assert contextvars.copy_context().run(seen) == (left if left is None else pytest.approx(left, abs=0.5))


def test_a_deadline_is_a_moment() -> None:
    due = CallContext.from_metadata([], 5.0).deadline_seconds
    assert due == pytest.approx(time.monotonic() + 5.0, abs=0.5)
