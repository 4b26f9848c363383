from __future__ import annotations

from libra.dispatch.scheduling.stall_detector import StallDetector


def test_a_stall_begins_with_the_last_verdict_or_sweep() -> None:
    detector = StallDetector(settled=0, since_seconds=100.0)
    assert detector.observe(0, 110.0) == 10.0
    assert detector.observe(3, 120.0) == 0.0
    assert detector.observe(3, 125.0) == 5.0
    detector.record_sweep(125.0, queues_idle=True)
    assert detector.observe(3, 126.0) == 1.0


def test_only_sweeps_at_idle_queues_count_and_a_verdict_resets_the_count() -> None:
    detector = StallDetector(settled=0, since_seconds=0.0)
    detector.record_sweep(1.0, queues_idle=True)
    detector.record_sweep(2.0, queues_idle=False)
    detector.record_sweep(3.0, queues_idle=True)
    assert detector.fruitless_sweeps == 2
    detector.observe(1, 4.0)
    assert detector.fruitless_sweeps == 0
