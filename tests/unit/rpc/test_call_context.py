"""Request ids and deadlines that come with a call are validated."""

from __future__ import annotations

import contextvars
import time

import pytest

from libra.rpc.call_context import CURRENT, UNLIMITED_SECONDS, CallContext, request_id, time_left


@pytest.mark.parametrize("given", ["abc", "a-B_9.x", "x" * 64])
def test_a_valid_request_id_is_kept(given: str) -> None:
    assert CallContext.from_metadata([("user-agent", "x"), ("x-request-id", given)], None).request_id == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\nb", "é", b"bytes", '{"level":"error"}'])
def test_an_invalid_request_id_is_replaced(given: str | bytes) -> None:
    replacement = CallContext.from_metadata([("x-request-id", given)], None).request_id
    assert replacement != given
    assert len(replacement) == 26


def test_outside_a_call_ids_are_new_and_time_is_not_limited() -> None:
    assert request_id() != request_id()
    assert time_left(5.0) == 5.0
    assert time_left(None) is None


@pytest.mark.parametrize(
    ("remaining", "limit", "expected"),
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
def test_the_time_left_is_limited_by_the_callers_deadline(
    remaining: float | None, limit: float | None, expected: float | None
) -> None:
    def read_time_left() -> float | None:
        CURRENT.set(CallContext.from_metadata([], remaining))
        return time_left(limit)

    assert contextvars.copy_context().run(read_time_left) == (
        expected if expected is None else pytest.approx(expected, abs=0.5)
    )


def test_a_deadline_is_a_time_of_the_monotonic_clock() -> None:
    deadline_seconds = CallContext.from_metadata([], 5.0).deadline_seconds
    assert deadline_seconds == pytest.approx(time.monotonic() + 5.0, abs=0.5)
