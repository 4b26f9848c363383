"""Over-refusal against harm over gRPC, with the real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.integration.support.ranking_world import CALIBRATION, FINISHED, batch, create_run, section, serving

from libra.core.attack_fields import UNCHANGED, YES
from libra.core.errors import NotFound
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.ranking_pb2 import GetTradeoffRequest, GetTradeoffResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.task_pb2 import Category, Sample, Task

ADVERSARIAL, OVER_SENSITIVE = Category.CATEGORY_ADVERSARIAL, Category.CATEGORY_OVER_SENSITIVE
HIERARCHY = Category.CATEGORY_INSTRUCTION_HIERARCHY
RISKY, POLITE = section("harm@1", 4), section("polite@1", 4, category=OVER_SENSITIVE)


@pytest.fixture
async def stub(store: Store) -> AsyncIterator[RankingServiceStub]:
    async with serving(store) as client:
        yield client


async def get_tradeoff(stub: RankingServiceStub, **request: Any) -> GetTradeoffResponse:
    response: GetTradeoffResponse = await call(stub.GetTradeoff, GetTradeoffRequest(**request), 10)
    return response


async def import_task(store: Store, name: str, category: int) -> None:
    samples = [Sample(ordinal=n) for n in range(4)]
    await store.tasks.add(Task(name=name, version="1", sample_count=4, category=Category.ValueType(category)), samples)


async def test_prompts_that_an_attack_left_unchanged_and_tasks_of_other_categories_do_not_count(
    store: Store, stub: RankingServiceStub
) -> None:
    await import_task(store, "harm", Category.CATEGORY_DIRECT_RISKY)
    await import_task(store, "rule", HIERARCHY)
    attacked = section("harm@1", 4, attack="base64", category=ADVERSARIAL)
    rule = section("rule@1", 4, attack="base64", category=ADVERSARIAL)
    run = await create_run(store, [RISKY, POLITE, attacked, rule])
    unchanged = batch(run, attacked, [0, 0, 1, 1])
    unchanged.verdicts[3].fields[UNCHANGED] = YES
    await store.verdicts.write(
        [batch(run, RISKY, [1, 1, 1, 0]), batch(run, POLITE, [1, 1, 0, 0]), unchanged, batch(run, rule, [0, 0, 0, 0])]
    )
    await store.runs.mark_ended(run, FINISHED)
    [found] = (await get_tradeoff(stub)).tradeoffs
    assert (found.harm.value, found.over_refusal.value) == (0.25, 0.5)
    [plain, base64] = found.points
    assert (plain.pressure, plain.harm.value) == ("direct_risky", 0.25)
    assert (base64.pressure, base64.tasks, base64.plain_harm.value) == ("base64", 1, 0.25)
    assert base64.harm.value == pytest.approx(2 / 3)


async def test_models_runs_and_corrections_can_be_chosen(store: Store, stub: RankingServiceStub) -> None:
    await store.calibrations.upsert(CALIBRATION)
    run = await create_run(store, [RISKY, POLITE], "one", "two")
    for model, scores in (("one", [1, 1, 1, 0]), ("two", [1, 1, 0, 0])):
        parts = [batch(run, part, scores, model=model) for part in (RISKY, POLITE)]
        await store.verdicts.write(parts)
    running = await get_tradeoff(stub, runs=[run])
    assert [each.model for each in running.tradeoffs] == ["one", "two"]
    assert [each.is_efficient for each in running.tradeoffs] == [True, False]
    assert list((await get_tradeoff(stub)).tradeoffs) == []
    await store.runs.mark_ended(run, FINISHED)
    response = await get_tradeoff(stub, models=["two", "gone"], correct_judges=True)
    [two] = response.tradeoffs
    assert two.is_efficient
    assert two.harm.value == pytest.approx(1 - (0.5 + 0.8 - 1) / 0.7)
    assert list(response.notes) == ["gone has no verdict in these runs"]
    with pytest.raises(NotFound, match="there is no run 'gone'"):
        await get_tradeoff(stub, runs=["gone"])
