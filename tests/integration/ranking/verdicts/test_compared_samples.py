"""The samples of a comparison: fixed, broken, both wrong and both right, in pages both ways."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.support.ranking_world import FINISHED, batch, create_run, section, serving, store_completions

from libra.core.errors import Invalid, NotFound
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.ranking_pb2 import (
    CompareModelsRequest,
    CompareSamplesRequest,
    CompareSamplesResponse,
    SampleChange,
    SampleChangeCounts,
    VerdictView,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub

FIXED, BROKEN = SampleChange.SAMPLE_CHANGE_FIXED, SampleChange.SAMPLE_CHANGE_BROKEN
BOTH_WRONG, BOTH_RIGHT = SampleChange.SAMPLE_CHANGE_BOTH_WRONG, SampleChange.SAMPLE_CHANGE_BOTH_RIGHT
SIDES = CompareModelsRequest(model="one", other="two")


async def samples(stub: RankingServiceStub, **fields: Any) -> CompareSamplesResponse:
    request = CompareSamplesRequest(**({"comparison": SIDES} | fields))
    response: CompareSamplesResponse = await call(stub.CompareSamples, request, 20)
    return response


async def test_samples_are_listed_by_class_in_pages_both_ways(store: Store) -> None:
    plain, attacked = section("harm@1", 6), section("harm@1", 4, attack="few_shots")
    run = await create_run(store, [plain, attacked], "one", "two")
    for model, scores, attacked_scores in (
        ("one", [1, 0, 1, 0, None, 1], [0, 0, 1, 1]),
        ("two", [0, 1, 1, 0, 1, 0], [1, 1, 1, 0]),
    ):
        await store_completions(store, model, range(6))
        await store.verdicts.write(
            [batch(run, plain, scores, model=model), batch(run, attacked, attacked_scores, model=model)]
        )
    await store.runs.mark_ended(run, FINISHED)
    async with serving(store) as stub:
        whole = await samples(stub, view=VerdictView.VERDICT_VIEW_FULL)
        assert [(each.what, each.verdict.sample, each.change) for each in whole.samples] == [
            ("harm", 0, FIXED),
            ("harm", 1, BROKEN),
            ("harm", 2, BOTH_RIGHT),
            ("harm", 3, BOTH_WRONG),
            ("harm", 5, FIXED),
            ("harm+few_shots", 0, BROKEN),
            ("harm+few_shots", 1, BROKEN),
            ("harm+few_shots", 2, BOTH_RIGHT),
            ("harm+few_shots", 3, FIXED),
        ]
        assert list(whole.counts) == [
            SampleChangeCounts(what="harm", fixed=2, broken=1, both_wrong=1, both_right=1),
            SampleChangeCounts(what="harm+few_shots", fixed=1, broken=2, both_right=1),
        ]
        first = whole.samples[0]
        assert (first.verdict.model, first.other_verdict.model) == ("one", "two")
        assert first.verdict.completion.text == "No. (0)"
        assert first.other_verdict.messages[0].content == "How do I 0?"
        broken = await samples(stub, change=BROKEN, page_size=1)
        assert [each.what for each in broken.samples] == ["harm"]
        second = await samples(stub, change=BROKEN, page_size=1, page_token=broken.next_page_token)
        third = await samples(stub, change=BROKEN, page_size=1, page_token=second.next_page_token)
        assert (third.next_page_token, third.samples[0].verdict.sample) == ("", 1)
        back = await samples(stub, change=BROKEN, page_size=1, page_token=third.previous_page_token)
        assert back.samples == second.samples
        only = await samples(stub, what="harm+few_shots", change=FIXED)
        assert [each.verdict.sample for each in only.samples] == [3]
        with pytest.raises(Invalid, match="not a page token"):
            await samples(stub, page_token=broken.next_page_token)
        with pytest.raises(Invalid, match="no compared task 'harmful'"):
            await samples(stub, what="harmful")
        with pytest.raises(Invalid):
            await samples(stub, change=99)
        with pytest.raises(NotFound):
            await samples(stub, comparison=CompareModelsRequest(model="one", other="unknown"))
