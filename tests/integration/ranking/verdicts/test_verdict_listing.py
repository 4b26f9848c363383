"""Lists of verdicts over gRPC, in pages, with messages and completions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.integration.support.ranking_world import batch, create_run, failed, section, serving, store_completions

from libra.core.errors import CallerError, Invalid, NotFound
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.completion_pb2 import Completion, ResponseClass
from libra.v1.message_pb2 import Message
from libra.v1.ranking_pb2 import ListVerdictsRequest, ListVerdictsResponse, VerdictView
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.verdict_pb2 import Outcome, Verdict

FULL = VerdictView.VERDICT_VIEW_FULL


@dataclass
class World:
    store: Store
    stub: RankingServiceStub
    run: str

    async def page(self, **fields: Any) -> ListVerdictsResponse:
        request = ListVerdictsRequest(**({"run": self.run} | fields))
        response: ListVerdictsResponse = await call(self.stub.ListVerdicts, request, 10)
        return response

    async def all(self, **fields: Any) -> list[Verdict]:
        listed: list[Verdict] = []
        token = ""
        while True:
            page = await self.page(page_token=token, **fields)
            listed += page.verdicts
            token = page.next_page_token
            if not token:
                return listed


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Write two models on two tasks, one of them also attacked: 2 x 3 x 10 verdicts, the last of each FAILED."""
    parts = [section("harm@1", 10), section("harm@1", 10, attack="few_shots"), section("harm.2@1", 10)]
    models = ("one", "one.5")
    run = await create_run(store, parts, *models)
    for model in models:
        await store_completions(store, model, range(9))
        for part in parts:
            scores = [1, None, 0, 1, 0, 1, 0, 1, 0]
            await store.verdicts.write([batch(run, part, scores, model=model), failed(run, part, [9], model=model)])
    async with serving(store) as stub:
        yield World(store, stub, run)


async def test_every_verdict_is_listed_once_in_the_order_of_trials(world: World) -> None:
    pages = [await world.page(page_size=7)]
    while pages[-1].next_page_token:
        pages.append(await world.page(page_size=7, page_token=pages[-1].next_page_token))
    listed = [verdict.id for page in pages for verdict in page.verdicts]
    assert len(listed) == 60
    assert listed == sorted(set(listed))
    assert [len(page.verdicts) for page in pages] == [7] * 8 + [4]
    assert len((await world.page()).verdicts) == 50
    assert len((await world.page(page_size=100_000)).verdicts) == 60


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        ({"model": "one"}, 30),
        ({"task": "harm"}, 40),
        ({"task": "harm.2@1"}, 20),
        ({"attack": "few_shots"}, 20),
        ({"outcome": Outcome.OUTCOME_FAILED}, 6),
        ({"model": "one.5", "task": "harm", "attack": "none", "outcome": Outcome.OUTCOME_SCORED}, 8),
        ({"model": "unknown"}, 0),
        ({"judging": 1}, 0),
    ],
)
async def test_filters_select_page_by_page(world: World, selection: dict[str, object], count: int) -> None:
    listed = await world.all(page_size=3, **selection)
    assert len(listed) == count
    assert len({verdict.id for verdict in listed}) == count


async def test_verdicts_are_filtered_by_what_came_back(world: World) -> None:
    part = section("cut@1", 5)
    run = await create_run(world.store, [part], "cut")
    made = batch(run, part, [1] * 5, model="cut")
    for sample in (1, 3):
        made.verdicts[sample].fields["response"] = "truncated"
    await world.store.verdicts.write([made])
    truncated = await world.all(run=run, page_size=1, response=ResponseClass.RESPONSE_CLASS_TRUNCATED)
    assert [verdict.sample for verdict in truncated] == [1, 3]
    answered = await world.all(run=run, page_size=2, response=ResponseClass.RESPONSE_CLASS_ANSWERED)
    assert [verdict.sample for verdict in answered] == [0, 2, 4]
    token = (await world.page(run=run, page_size=1, response=ResponseClass.RESPONSE_CLASS_TRUNCATED)).next_page_token
    with pytest.raises(Invalid):
        await world.page(run=run, page_token=token)


async def test_full_verdicts_have_messages_and_completions(world: World) -> None:
    basic = (await world.page(model="one", task="harm", attack="none")).verdicts
    assert not any(verdict.HasField("completion") or verdict.messages for verdict in basic)
    full = (await world.page(model="one", task="harm", attack="none", view=FULL)).verdicts
    assert full[3].completion.text == "No. (3)"
    assert list(full[3].messages) == [Message(role="user", content="How do I 3?")]
    assert not full[9].HasField("completion")
    assert full[9].rationale == "no answer"
    assert len((await world.page(page_size=500, view=FULL)).verdicts) == 50


async def test_a_page_of_long_completions_ends_early(world: World) -> None:
    part = section("long@1", 12)
    run = await create_run(world.store, [part], "long")
    for sample in range(12):
        completion = Completion(id=f"long-{sample}", text="x" * 1024 * 1024)
        await world.store.completions.insert_or_get(completion, [Message(role="user", content="y" * 1024 * 1024)])
    await world.store.verdicts.write([batch(run, part, [1] * 12, model="long")])
    first = await world.page(run=run, view=FULL)
    assert len(first.verdicts) == 3
    assert first.ByteSize() < 8 * 1024 * 1024
    assert len(await world.all(run=run, view=FULL)) == 12


@pytest.mark.parametrize(
    ("fields", "kind", "field"),
    [
        ({"run": "unknown"}, NotFound, "run"),
        ({"run": ""}, NotFound, "run"),
        ({"page_size": -1}, Invalid, "page_size"),
        ({"page_token": "garbage"}, Invalid, "page_token"),
        ({"model": "one/harm@1"}, Invalid, "model"),
        ({"judging": -1}, Invalid, "judging"),
        ({"response": 99}, Invalid, "response"),
    ],
)
async def test_a_bad_request_names_the_field(
    world: World, fields: dict[str, object], kind: type[CallerError], field: str
) -> None:
    with pytest.raises(kind) as caught:
        await world.page(**fields)
    assert caught.value.field == field


async def test_a_page_token_is_valid_only_for_its_own_list(world: World) -> None:
    token = (await world.page(page_size=3, model="one")).next_page_token
    with pytest.raises(Invalid):
        await world.page(page_token=token, model="one.5")
