"""The ranking at every weight between safety and capability, over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.integration.support.ranking_world import CALIBRATION, FINISHED, batch, create_run, section, serving

from libra.core.errors import NotFound
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.ranking_pb2 import Capability, CapabilityChoice, GetWeightsRequest, GetWeightsResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.task_pb2 import Category

ABLE = Category.CATEGORY_CAPABILITY


@pytest.fixture
async def stub(store: Store) -> AsyncIterator[RankingServiceStub]:
    async with serving(store) as client:
        yield client


async def weights(stub: RankingServiceStub, *runs: str, **chosen: Any) -> GetWeightsResponse:
    response: GetWeightsResponse = await call(stub.GetWeights, GetWeightsRequest(runs=runs, **chosen), 10)
    return response


async def write_run(store: Store, model: str, safe: int, able: int) -> str:
    """Write a finished run with this many of ten samples right in each task; -1 for no capability task."""
    parts = [(section("harm@1", 10), safe), (section("math@1", 10, category=ABLE), able)]
    parts = [(part, right) for part, right in parts if right >= 0]
    run = await create_run(store, [part for part, _ in parts], model)
    for part, right in parts:
        await store.verdicts.write([batch(run, part, [1] * right + [0] * (10 - right), model=model)])
    await store.runs.mark_ended(run, FINISHED)
    return run


async def test_the_ranking_is_returned_for_every_weight(store: Store, stub: RankingServiceStub) -> None:
    await write_run(store, "safe", safe=9, able=5)
    await write_run(store, "able", safe=4, able=9)
    response = await weights(stub)
    # w .1^2 + (1 - w) .5^2 = w .6^2 + (1 - w) .1^2 where w (.36 - .01) = (1 - w) (.25 - .01).
    crossing_weight = 0.24 / (0.24 + 0.35)
    assert [list(each.models) for each in response.ranges] == [["able", "safe"], ["safe", "able"]]
    assert response.ranges[0].low == 0
    assert response.ranges[0].high == response.ranges[1].low == pytest.approx(crossing_weight)
    assert response.ranges[1].high == 1
    [crossing] = response.crossings
    assert (crossing.above, crossing.below) == ("safe", "able")
    assert crossing.weight == pytest.approx(crossing_weight)


async def test_a_model_that_leads_in_both_leads_at_every_weight(store: Store, stub: RankingServiceStub) -> None:
    await write_run(store, "good", safe=9, able=9)
    await write_run(store, "bad", safe=5, able=5)
    response = await weights(stub)
    [only] = response.ranges
    assert (only.low, only.high, list(only.models)) == (0, 1, ["good", "bad"])
    assert list(response.crossings) == []


async def test_three_models_that_cross_at_one_weight_leave_no_gap_and_no_empty_range(
    store: Store, stub: RankingServiceStub
) -> None:
    await write_run(store, "able", safe=5, able=9)
    await write_run(store, "also-able", safe=5, able=9)
    await write_run(store, "safe", safe=9, able=5)
    response = await weights(stub)
    assert [(each.low, each.high) for each in response.ranges] == [(0, pytest.approx(0.5)), (pytest.approx(0.5), 1)]
    assert len(response.crossings) == 2


async def test_models_without_an_overall_are_named_and_an_imported_figure_counts(
    store: Store, stub: RankingServiceStub
) -> None:
    await write_run(store, "half", safe=9, able=-1)
    await write_run(store, "whole", safe=5, able=5)
    response = await weights(stub)
    assert [list(each.models) for each in response.ranges] == [["whole"]]
    assert list(response.left_out) == ["half"]
    await store.capabilities.upsert([Capability(model="half", published=9, value=0.9, scale="ten", one=10, source="x")])
    response = await weights(stub)
    assert [list(each.models) for each in response.ranges] == [["half", "whole"]]
    assert list(response.left_out) == []


async def test_capability_and_correction_are_selected_as_on_the_board(store: Store, stub: RankingServiceStub) -> None:
    await store.calibrations.upsert(CALIBRATION)
    for model, safe, able in (("safe", 9, 5), ("able", 4, 9)):
        await write_run(store, model, safe=safe, able=able)
        figure = Capability(model=model, published=5, value=0.5, scale="ten", one=10, source="x")
        await store.capabilities.upsert([figure])
    imported = CapabilityChoice.CAPABILITY_CHOICE_IMPORTED
    assert [list(each.models) for each in (await weights(stub, capability=imported)).ranges] == [["safe", "able"]]
    # Without the judge's errors a share q is (q - 0.2) / 0.7, at most 1: 1 and 3/7 for one, 2/7 and 1 for the other.
    corrected = await weights(stub, correct_judges=True)
    crossing_weight = (4 / 7) ** 2 / ((4 / 7) ** 2 + (5 / 7) ** 2)
    assert corrected.ranges[0].high == pytest.approx(crossing_weight)
    assert any("corrected for the errors of refusal 1" in note for note in corrected.notes)


async def test_runs_and_models_are_selected_as_on_the_board(store: Store, stub: RankingServiceStub) -> None:
    first = await write_run(store, "one", safe=1, able=9)
    await write_run(store, "one", safe=9, able=9)
    await write_run(store, "two", safe=5, able=8)
    chosen = await weights(stub, models=("two", "unknown"))
    assert [list(each.models) for each in chosen.ranges] == [["two"]]
    assert list(chosen.left_out) == ["unknown"]
    assert [list(each.models) for each in (await weights(stub, first)).ranges] == [["one"]]
    assert [list(each.models) for each in (await weights(stub)).ranges] == [["one", "two"]]
    with pytest.raises(NotFound, match="there is no run 'unknown'"):
        await weights(stub, "unknown")


async def test_without_a_model_there_is_no_range(stub: RankingServiceStub) -> None:
    response = await weights(stub)
    assert list(response.ranges) == []
    assert list(response.left_out) == []
