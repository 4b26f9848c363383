"""The watchdog restarts a server that stores nothing or has ended."""

from __future__ import annotations

import itertools

from libra.local.watchdog import HOUR_SECONDS, MAX_RESTARTS, PAUSES_SECONDS, RestartHistory


def restart_seconds(until: float) -> list[float]:
    """Return the times at which a server is restarted that fails again at once, checked once a second."""
    history = RestartHistory()
    times = [float(second) for second in range(round(until))]
    for now in times:
        if history.may_restart(now):
            history.restarted_seconds.append(now)
    return list(history.restarted_seconds)


def test_a_problem_must_be_seen_twice_in_a_row() -> None:
    history = RestartHistory()
    assert [history.observe(problem) for problem in ("ended", "", "ended", "ended", "")] == [
        False, False, False, True, False
    ]  # fmt: skip


def test_pauses_between_restarts_grow() -> None:
    times = restart_seconds(until=HOUR_SECONDS)
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses[: len(PAUSES_SECONDS) - 1] == list(PAUSES_SECONDS[1:])
    assert set(pauses[len(PAUSES_SECONDS) - 1 :]) == {PAUSES_SECONDS[-1]}
    assert len(times) <= MAX_RESTARTS


def test_the_limit_holds_for_an_hour() -> None:
    history = RestartHistory()
    history.restarted_seconds.extend([0.0] * MAX_RESTARTS)
    assert not history.may_restart(HOUR_SECONDS - 1)
    assert history.may_restart(HOUR_SECONDS)
