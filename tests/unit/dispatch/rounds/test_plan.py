from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.commitment.sample_draw import FRESH, RESERVED, draw, from_ranges
from libra.core.errors import Invalid
from libra.dispatch.rounds.plan import TaskPool, anchor_warnings, plan_task
from libra.store.rounds.round_samples import RoundSample
from libra.v1.task_pb2 import Task

SEED = bytes(range(32))


def candidates(count: int) -> list[RoundSample]:
    return [
        RoundSample(
            "2026Q4", n, "math", 10 + n, b"", b"", f"content {n}", "math@0", 500 + n, anchor=False, reserved=True
        )
        for n in range(count)
    ]


def pool(eligible: range, reserved: int) -> TaskPool:
    return TaskPool(Task(name="math", version="1", sample_count=len(eligible) + 7), eligible, candidates(reserved))


@given(st.binary(min_size=32, max_size=32), st.integers(1, 40), st.integers(0, 8), st.sampled_from([0, 0.1, 0.15, 0.2]))
def test_a_plan_has_the_wanted_samples_and_no_more_anchors_than_its_share(
    seed: bytes, samples: int, reserved: int, share: float
) -> None:
    plan = plan_task(seed, pool(range(50), reserved), samples, share)
    wanted = max(1, round(share * samples)) if share else 0
    anchors = [each for each in plan.samples if each.anchor]
    assert len(plan.samples) == plan.draw.samples == samples
    assert len(anchors) == plan.draw.anchors == min(wanted, reserved)
    assert len({(each.source, each.ordinal) for each in plan.samples}) == samples
    assert {each.source for each in anchors} <= {"math@2026Q4"}
    kept = {each.ordinal for each in plan.samples if each.reserved}
    assert len(kept) == plan.draw.reserved == min(wanted, plan.draw.fresh)
    assert not any(each.anchor and each.reserved for each in plan.samples)


def test_a_plan_can_be_repeated_from_what_is_published() -> None:
    plan = plan_task(SEED, pool(range(5, 60), 3), 20, 0.15)
    fresh = {each.ordinal for each in plan.samples if not each.anchor}
    drawn = draw(SEED, FRESH, "math", from_ranges(plan.draw.pool), plan.draw.fresh)
    assert set(drawn) == fresh
    kept = {each.ordinal for each in plan.samples if each.reserved}
    assert set(draw(SEED, RESERVED, "math", drawn, plan.draw.reserved)) == kept


def test_a_pool_that_is_too_small_is_refused_with_its_numbers() -> None:
    with pytest.raises(Invalid, match="has 17 samples, of which 10 are distinct and were in no round before"):
        plan_task(SEED, pool(range(10), 0), 11, 0.15)
    assert len(plan_task(SEED, pool(range(10), 2), 12, 0.15).samples) == 12


def test_missing_anchors_are_warned_about_unless_there_is_no_earlier_round() -> None:
    plan = plan_task(SEED, pool(range(50), 1), 20, 0.2)
    assert anchor_warnings([plan], 0.2, "2026Q4") == [
        "math has 1 anchors rather than 4: the round 2026Q4 reserved no more"
    ]
    assert anchor_warnings([plan], 0.2, "") == anchor_warnings([plan], 0, "2026Q4") == []
