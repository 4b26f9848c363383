"""A model is parked, probed and opened again by the results of its requests alone."""

from __future__ import annotations

import math

import pytest

from libra.gateway.parking.park_state import ParkState
from libra.gateway.parking.policy import QUOTA_CAUSES, ParkPolicy
from libra.gateway.provider.result import BlockCause, FaultKind, ProviderAnswer, ProviderFault
from libra.v1.completion_pb2 import FinishReason

POLICY = ParkPolicy(patience_seconds=300, faults=3, probe_seconds=5, probe_max_seconds=60, give_up_seconds=600)
YES = ProviderAnswer("yes", FinishReason.FINISH_REASON_STOP)
ODD = ProviderFault("the prompt is odd", FaultKind.FINAL)
BUSY = ProviderFault("busy", FaultKind.SLOW_DOWN, 20.0)


def blocked(cause: BlockCause, retry_after_seconds: float | None = None) -> ProviderFault:
    return ProviderFault(f"no: {cause}", FaultKind.FINAL, retry_after_seconds, block=cause)


def state_after(*results: ProviderAnswer | ProviderFault) -> ParkState:
    """Return the state after results at one second each."""
    state = ParkState(POLICY)
    for second, result in enumerate(results):
        state.on_result(result, float(second), is_probe=False)
    return state


@pytest.mark.parametrize("cause", BlockCause)
def test_a_model_that_never_answered_is_parked_by_its_first_fault(cause: BlockCause) -> None:
    park = state_after(blocked(cause)).park
    assert park is not None
    assert (park.cause, park.reason, park.parked_at) == (cause, f"no: {cause}", 0.0)


@pytest.mark.parametrize("cause", sorted(set(BlockCause) - QUOTA_CAUSES))
def test_a_model_that_answers_others_is_parked_after_several_faults_without_an_answer(cause: BlockCause) -> None:
    fault = blocked(cause)
    assert state_after(YES, fault).park is None
    assert state_after(YES, fault, fault, YES, fault, fault).park is None
    assert state_after(YES, fault, fault, fault).park is not None


@pytest.mark.parametrize("cause", sorted(QUOTA_CAUSES))
def test_a_quota_is_no_request_s_fault_and_parks_at_once(cause: BlockCause) -> None:
    assert state_after(YES, blocked(cause)).park is not None


def test_an_answer_long_ago_proves_nothing() -> None:
    state = state_after(YES)
    state.on_result(blocked(BlockCause.KEY), 100.0, is_probe=False)
    assert state.park is not None


@pytest.mark.parametrize("result", [ODD, BUSY, ProviderFault("late", FaultKind.TIMEOUT)])
def test_other_faults_never_park(result: ProviderFault) -> None:
    assert state_after(*[result] * 50).park is None


def test_a_wait_beyond_the_patience_parks_until_the_time_that_the_provider_named() -> None:
    state = ParkState(POLICY)
    state.on_result(ProviderFault("slow down", FaultKind.SLOW_DOWN, 4_274.0), 10.0, is_probe=False)
    assert state.park is not None
    assert (state.park.cause, state.park.probe_at) == (BlockCause.WAIT, 4_284.0)


@pytest.mark.parametrize(
    ("cause", "waits"),
    [
        (BlockCause.UNREACHABLE, [5, 5, 5, 5, 5, 5]),
        (BlockCause.KEY, [5, 10, 20, 40, 60, 60]),
        (BlockCause.QUOTA, [60, 120, 240, 480, 720, 720]),
    ],
)
def test_probes_are_sent_ever_more_seldom(cause: BlockCause, waits: list[float]) -> None:
    state, now, found = ParkState(POLICY), 0.0, []
    for _ in waits:
        state.on_result(blocked(cause), now, is_probe=True)
        assert state.park is not None
        found.append(state.park.probe_at - now)
        now = state.park.probe_at
    assert found == waits


def test_an_answer_opens_the_model_at_once() -> None:
    state = state_after(blocked(BlockCause.KEY), YES)
    assert state.park is None
    assert state.give_up_at() == math.inf


def test_requests_in_flight_at_the_parking_do_not_move_the_probe() -> None:
    state = state_after(blocked(BlockCause.KEY))
    park = state.park
    for _ in range(9):
        state.on_result(blocked(BlockCause.KEY), 3.0, is_probe=False)
    assert state.park == park


def test_a_probe_that_is_refused_for_its_own_content_proves_that_the_endpoint_works() -> None:
    state = state_after(blocked(BlockCause.UNREACHABLE))
    state.on_result(ODD, 5.0, is_probe=True)
    assert state.park is None


def test_a_probe_that_fails_otherwise_keeps_the_model_parked_with_the_newest_reason() -> None:
    state = state_after(blocked(BlockCause.UNREACHABLE))
    state.on_result(ProviderFault("loading", FaultKind.PASSING), 5.0, is_probe=True)
    assert state.park is not None
    assert (state.park.cause, state.park.reason, state.park.probes) == (BlockCause.UNREACHABLE, "loading", 1)


def test_a_request_fails_when_its_run_has_waited_long_enough() -> None:
    state = state_after(blocked(BlockCause.KEY))
    assert state.give_up_at() == 600.0
    assert state.give_up_at(since=-50.0) == 600.0
    assert state.give_up_at(since=1_000.0) == 1_600.0  # a run that began after the model was parked


def test_nobody_waits_for_a_time_that_the_provider_named_and_that_comes_too_late() -> None:
    state = state_after(blocked(BlockCause.WAIT, 30 * 86_400.0))
    assert state.give_up_at() == 0.0
