from __future__ import annotations

from libra.dispatch.scheduling.stall_detector import Stillness


def test_stillness_is_measured_from_the_last_verdict_or_sweep() -> None:
    still = Stillness(settled=0, since_seconds=100.0)
    assert still.look(0, 110.0) == 10.0
    assert still.look(3, 120.0) == 0.0
    assert still.look(3, 125.0) == 5.0
    still.swept(125.0, in_vain=True)
    assert still.look(3, 126.0) == 1.0


def test_only_sweeps_in_vain_count_and_a_verdict_forgives_them() -> None:
    still = Stillness(settled=0, since_seconds=0.0)
    still.swept(1.0, in_vain=True)
    still.swept(2.0, in_vain=False)
    still.swept(3.0, in_vain=True)
    assert still.sweeps == 2
    still.look(1, 4.0)
    assert still.sweeps == 0
