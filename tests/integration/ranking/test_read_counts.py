"""The queries of ranking make few reads of the store: counts are tested, which a busy machine does not change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.integration.support.ranking_world import FINISHED, batch, create_run, finished_run, section

from libra.ranking.board.board_proto import MAX_PLACES, sweep_weights
from libra.ranking.queries.board_cache import BoardCache
from libra.ranking.queries.comparisons import ComparisonReader
from libra.store.client import Store
from libra.store.reports.costs import _sum_by_attack
from libra.store.sums.cells import Cell, CellCollection
from libra.v1.completion_pb2 import Completion, FinishReason, Usage
from libra.v1.ranking_pb2 import Board, BoardRow, CompareModelsRequest, Estimate

HALF = [1.0, 0.0] * 5


def counting(function: Callable[..., Awaitable[Any]], results: list[Any]) -> Callable[..., Awaitable[Any]]:
    async def counted(*args: Any, **options: Any) -> Any:
        results.append(await function(*args, **options))
        return results[-1]

    return counted


async def test_callers_at_once_share_reads_and_bytes_and_a_finished_run_is_shown_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await finished_run(store, "harm@1", HALF, model="one")
    boards = BoardCache(store)
    before = await boards.get_reply()
    reads: list[Any] = []
    monkeypatch.setattr(store.board_revisions, "read", counting(store.board_revisions.read, reads))
    replies = await asyncio.gather(*(boards.get_reply() for _ in range(40)))
    assert len(reads) <= 2
    assert all(reply.data is before.data for reply in replies)
    assert before.data == before.message.SerializeToString()
    early = [asyncio.create_task(boards.get_reply()) for _ in range(3)]
    await finished_run(store, "harm@1", HALF, model="two")
    assert [row.model for row in (await boards.get_board()).board.rows] == ["one", "two"]
    await asyncio.gather(*early)
    assert [row.model for row in (await boards.get_board()).board.rows] == ["one", "two"]


async def test_a_comparison_reads_the_cells_of_its_two_models(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for model in ("one", "two", "three", "four", "five"):
        await finished_run(store, "harm@1", HALF, model=model)
    read: list[list[Cell]] = []
    monkeypatch.setattr(CellCollection, "list_for_runs", counting(CellCollection.list_for_runs, read))
    response = await ComparisonReader(store).compare(CompareModelsRequest(model="one", other="four"))
    assert [each.what for each in response.tasks] == ["harm"]
    assert [{cell.model for cell in cells} for cells in read] == [{"one", "four"}]


async def test_completions_are_looked_up_for_an_attack_and_not_for_each_verdict(store: Store) -> None:
    parts = [section("harm@1", 300, attack=attack) for attack in ("none", "pair")]
    run = await create_run(store, parts)
    await store.verdicts.write([batch(run, part, [1.0] * 300) for part in parts])
    await store.runs.mark_ended(run, FINISHED)
    pipeline = _sum_by_attack(f"{run}/0/one/harm@1/")
    position = next(index for index, stage in enumerate(pipeline) if "$lookup" in stage)
    found = await store._database.verdicts.aggregate(pipeline[:position]).to_list(None)
    assert len(found) == len(parts)


async def test_a_completion_counts_for_each_trial_that_names_it(store: Store) -> None:
    completion = Completion(
        id="shared", finish_reason=FinishReason.FINISH_REASON_STOP, cost_usd=0.5, usage_unknown=True
    )
    completion.usage.CopyFrom(Usage(prompt_tokens=10, completion_tokens=1))
    await store.completions.insert_or_get(completion)
    part = section("harm@1", 4, attack="pair")
    run = await create_run(store, [part])
    written = batch(run, part, [1.0] * 4, first=998)  # samples on both sides of a part of a cell
    for verdict in written.verdicts[:3]:
        verdict.completion_id = "shared"
    for verdict in written.verdicts[2:]:
        verdict.fields["attack_usage"] = "unknown"
    await store.verdicts.write([written])
    [cost] = await store.costs.sum_by_attack(run, [("one", "harm@1")])
    assert (cost.prompt_tokens, cost.completion_tokens, cost.cost_usd, cost.unknown_usage) == (30, 3, 1.5, 4)


def test_a_sweep_of_many_models_fits_a_reply() -> None:
    rows = [
        BoardRow(model=f"model-{n:03d}", safety=Estimate(value=n / 200), capability=Estimate(value=1 - (n / 200) ** 2))
        for n in range(200)
    ]
    response = sweep_weights(Board(rows=rows))
    assert len(response.crossings) > 5_000
    assert max(len(each.models) for each in response.ranges) == MAX_PLACES
    assert f"of 200 models, each ranking has the first {MAX_PLACES}" in response.notes[0]
    assert response.ByteSize() < 8 * 1024 * 1024
