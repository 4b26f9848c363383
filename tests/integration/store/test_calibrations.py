from __future__ import annotations

from libra.store.client import Store
from libra.v1.calibration_pb2 import Calibration, Rate
from libra.v1.verdict_pb2 import JudgeVersion


def calibration(judge: str, labels_hash: str = "a", **more: object) -> Calibration:
    return Calibration(
        judge=JudgeVersion(name=judge, version="1", rubric_hash="r"),
        labels="mine.csv",
        labels_hash=labels_hash,
        **more,  # type: ignore[arg-type]  # fields of any kind
    )


async def test_a_calibration_comes_back_with_the_time_of_its_measurement(store: Store) -> None:
    kept = await store.calibrations.upsert(
        calibration("refusal", true_positives=3, recall=Rate(value=1, low=0.4, high=1), alpha=0.0)
    )
    assert kept.HasField("create_time")
    assert kept.HasField("alpha")
    assert not kept.HasField("precision")
    assert await store.calibrations.list() == [kept]


async def test_the_newest_measurement_of_the_same_takes_the_place_of_the_last(store: Store) -> None:
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
