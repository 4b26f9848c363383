from __future__ import annotations

from typing import Any

from libra.store.client import Store
from libra.v1.calibration_pb2 import Calibration, Rate
from libra.v1.verdict_pb2 import JudgeVersion


def calibration(judge: str, labels_hash: str = "a", **more: Any) -> Calibration:
    return Calibration(
        judge=JudgeVersion(name=judge, version="1", rubric_hash="r"),
        labels="mine.csv",
        labels_hash=labels_hash,
        **more,
    )


async def test_a_calibration_is_returned_with_its_create_time(store: Store) -> None:
    stored = await store.calibrations.upsert(
        calibration("refusal", true_positives=3, recall=Rate(value=1, low=0.4, high=1), alpha=0.0)
    )
    assert stored.HasField("create_time")
    assert stored.HasField("alpha")
    assert not stored.HasField("precision")
    assert await store.calibrations.list() == [stored]


async def test_a_new_calibration_of_the_same_judge_and_labels_replaces_the_previous_one(store: Store) -> None:
    await store.calibrations.upsert(calibration("refusal", true_positives=3))
    newer = await store.calibrations.upsert(calibration("refusal", true_positives=4))
    assert await store.calibrations.list() == [newer]


async def test_calibrations_are_listed_by_judge_the_newest_first(store: Store) -> None:
    for judge, labels_hash in [("refusal", "a"), ("harm", "a"), ("refusal", "b"), ("refusal", "c"), ("harm", "b")]:
        await store.calibrations.upsert(calibration(judge, labels_hash))
    listed = [(each.judge.name, each.labels_hash) for each in await store.calibrations.list()]
    assert [judge for judge, _ in listed] == ["harm"] * 2 + ["refusal"] * 3
    times = [each.create_time.ToNanoseconds() for each in await store.calibrations.list("refusal")]
    assert times == sorted(times, reverse=True)
    assert {each.judge.name for each in await store.calibrations.list("harm")} == {"harm"}
    assert await store.calibrations.list("exact") == []
