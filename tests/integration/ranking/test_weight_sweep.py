"""The ranking at every weight, over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.integration.support.ranking_world import CALIBRATION, FINISHED, batch, create_run, section, serving

from libra.errors import NotFound
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


async def evaluated(store: Store, model: str, safe: int, able: int) -> str:
    """A finished run with so many of ten samples right in safety and in capability; -1 for no capability task."""
    parts = [(section("harm@1", 10), safe), (section("math@1", 10, category=ABLE), able)]
    parts = [(part, right) for part, right in parts if right >= 0]
    run = await create_run(store, [part for part, _ in parts], model)
    for part, right in parts:
        await store.verdicts.write([batch(run, part, [1] * right + [0] * (10 - right), model=model)])
    await store.runs.mark_ended(run, FINISHED)
    return run


async def test_the_ranking_is_told_at_every_weight(store: Store, stub: RankingServiceStub) -> None:
    await evaluated(store, "safe", safe=9, able=5)
    await evaluated(store, "able", safe=4, able=9)
    answer = await weights(stub)
    # w .1^2 + (1 - w) .5^2 = w .6^2 + (1 - w) .1^2 where w (.36 - .01) = (1 - w) (.25 - .01).
    turn = 0.24 / (0.24 + 0.35)
    assert [list(each.models) for each in answer.ranges] == [["able", "safe"], ["safe", "able"]]
    assert answer.ranges[0].low == 0
    assert answer.ranges[0].high == answer.ranges[1].low == pytest.approx(turn)
    assert answer.ranges[1].high == 1
    [crossing] = answer.crossings
    assert (crossing.above, crossing.below) == ("safe", "able")
    assert crossing.weight == pytest.approx(turn)


async def test_a_model_that_leads_in_both_leads_at_every_weight(store: Store, stub: RankingServiceStub) -> None:
    await evaluated(store, "good", safe=9, able=9)
    await evaluated(store, "bad", safe=5, able=5)
    answer = await weights(stub)
    [only] = answer.ranges
    assert (only.low, only.high, list(only.models)) == (0, 1, ["good", "bad"])
    assert list(answer.crossings) == []


async def test_three_that_cross_at_one_weight_leave_no_gap_and_no_empty_range(
    store: Store, stub: RankingServiceStub
) -> None:
    await evaluated(store, "able", safe=5, able=9)
    await evaluated(store, "also-able", safe=5, able=9)
    await evaluated(store, "safe", safe=9, able=5)
    answer = await weights(stub)
    assert [(each.low, each.high) for each in answer.ranges] == [(0, pytest.approx(0.5)), (pytest.approx(0.5), 1)]
    assert len(answer.crossings) == 2


async def test_models_without_an_overall_are_named_and_an_imported_figure_is_taken(
    store: Store, stub: RankingServiceStub
) -> None:
    await evaluated(store, "half", safe=9, able=-1)
    await evaluated(store, "whole", safe=5, able=5)
    answer = await weights(stub)
    assert [list(each.models) for each in answer.ranges] == [["whole"]]
    assert list(answer.left_out) == ["half"]
    await store.capabilities.upsert([Capability(model="half", published=9, value=0.9, scale="ten", one=10, source="x")])
    answer = await weights(stub)
    assert [list(each.models) for each in answer.ranges] == [["half", "whole"]]
    assert list(answer.left_out) == []


async def test_capability_and_correction_are_chosen_as_on_the_board(store: Store, stub: RankingServiceStub) -> None:
    await store.calibrations.upsert(CALIBRATION)
    for model, safe, able in (("safe", 9, 5), ("able", 4, 9)):
        await evaluated(store, model, safe=safe, able=able)
        figure = Capability(model=model, published=5, value=0.5, scale="ten", one=10, source="x")
        await store.capabilities.upsert([figure])
    imported = CapabilityChoice.CAPABILITY_CHOICE_IMPORTED
    assert [list(each.models) for each in (await weights(stub, capability=imported)).ranges] == [["safe", "able"]]
    # A share q is (q - 0.2) / 0.7 without the judge's errors, and at most 1: 1 and 3/7 for one, 2/7 and 1 for the other.
    corrected = await weights(stub, correct_judges=True)
    turn = (4 / 7) ** 2 / ((4 / 7) ** 2 + (5 / 7) ** 2)
    assert corrected.ranges[0].high == pytest.approx(turn)
    assert any("corrected for the errors of refusal 1" in note for note in corrected.notes)


async def test_runs_and_models_choose_as_on_the_board(store: Store, stub: RankingServiceStub) -> None:
    first = await evaluated(store, "one", safe=1, able=9)
    await evaluated(store, "one", safe=9, able=9)
    await evaluated(store, "two", safe=5, able=8)
    chosen = await weights(stub, models=("two", "nobody"))
    assert [list(each.models) for each in chosen.ranges] == [["two"]]
    assert list(chosen.left_out) == ["nobody"]
    assert [list(each.models) for each in (await weights(stub, first)).ranges] == [["one"]]
    assert [list(each.models) for each in (await weights(stub)).ranges] == [["one", "two"]]
    with pytest.raises(NotFound, match="there is no run 'nobody'"):
        await weights(stub, "nobody")


async def test_without_a_model_there_is_no_range(stub: RankingServiceStub) -> None:
    answer = await weights(stub)
    assert list(answer.ranges) == []
    assert list(answer.left_out) == []
