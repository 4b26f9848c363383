"""Boards over gRPC, from verdicts in the real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.integration.support.ranking_world import (
    JUDGE,
    batch,
    create_run,
    failed,
    finished_run,
    import_task,
    section,
    serving,
)

from libra.core.errors import Invalid, NotFound
from libra.ranking.change_notifier import ChangeNotifier
from libra.rpc.client import call, stream
from libra.store.client import Store
from libra.v1.ranking_pb2 import Board, GetBoardRequest, GetBoardResponse, WatchBoardRequest, WatchBoardResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import OutcomeCounts, RunState
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import JudgeVersion

RISKY, ABLE = Category.CATEGORY_DIRECT_RISKY, Category.CATEGORY_CAPABILITY


@pytest.fixture
def notifier() -> ChangeNotifier:
    return ChangeNotifier()


@pytest.fixture
async def stub(store: Store, notifier: ChangeNotifier) -> AsyncIterator[RankingServiceStub]:
    async with serving(store, notifier) as client:
        yield client


async def board(stub: RankingServiceStub, *runs: str, models: tuple[str, ...] = ()) -> Board:
    response: GetBoardResponse = await call(stub.GetBoard, GetBoardRequest(runs=runs, models=models), 10)
    return response.board


async def test_without_a_finished_run_the_board_is_empty(store: Store, stub: RankingServiceStub) -> None:
    part = section("harm@1", 2)
    run = await create_run(store, [part])
    await store.verdicts.write([batch(run, part, [1, 1])])
    empty = await board(stub)
    assert list(empty.rows) == []
    assert empty.revision == 0
    assert empty.HasField("create_time")


async def test_a_row_has_its_scores_counts_and_tasks(store: Store, stub: RankingServiceStub) -> None:
    risky, able = section("harm@1", 6), section("math@1", 4, category=ABLE)
    run = await create_run(store, [risky, able])
    await store.verdicts.write(
        [batch(run, risky, [1, 1, 0, 0, None]), failed(run, risky, [5]), batch(run, able, [1, 1, 1, 0])]
    )
    await store.runs.mark_ended(run, RunState.RUN_STATE_FINISHED)
    [row] = (await board(stub)).rows
    assert (row.model, row.rank) == ("one", 1)
    assert row.safety.value == 0.5
    assert row.capability.value == 0.75
    assert row.overall.value == pytest.approx(1 - ((0.5**2 + 0.25**2) / 2) ** 0.5)
    assert row.overall.standard_error > 0
    assert row.overall.n == 8
    assert row.coverage == pytest.approx(0.8)
    assert row.counts == OutcomeCounts(scored=8, unjudged=1, failed=1)
    assert [each.category for each in row.categories] == [RISKY, ABLE]
    [task] = row.categories[0].tasks
    assert (task.task, task.version, task.attack, task.run, task.judge) == ("harm", "1", "none", run, JUDGE)
    assert task.score.standard_error == pytest.approx((1 / 3 / 4) ** 0.5)
    assert task.counts == OutcomeCounts(scored=4, unjudged=1, failed=1)


async def test_a_single_trial_has_a_score_without_an_error(store: Store, stub: RankingServiceStub) -> None:
    await finished_run(store, "harm@1", [1])
    [row] = (await board(stub)).rows
    assert row.safety.value == 1
    assert not row.safety.HasField("standard_error")
    assert not row.HasField("overall")
    assert row.rank == 0


async def test_the_newest_finished_run_of_each_model_counts(store: Store, stub: RankingServiceStub) -> None:
    first = await finished_run(store, "harm@1", [0, 0])
    await finished_run(store, "harm@1", [1, 0], model="two")
    newest = await finished_run(store, "harm@1", [1, 1])
    unfinished = await create_run(store, [section("harm@1", 2)])
    await store.verdicts.write([batch(unfinished, section("harm@1", 2), [0, 0])])
    cancelled = await create_run(store, [section("harm@1", 2)])
    await store.verdicts.write([batch(cancelled, section("harm@1", 2), [0, 0])])
    await store.runs.mark_ended(cancelled, RunState.RUN_STATE_CANCELLED)
    rows = {row.model: row for row in (await board(stub)).rows}
    assert {model: row.safety.value for model, row in rows.items()} == {"one": 1.0, "two": 0.5}
    assert rows["one"].categories[0].tasks[0].run == newest
    [row] = (await board(stub, first)).rows
    assert row.safety.value == 0
    [row] = (await board(stub, cancelled)).rows
    assert row.safety.value == 0


async def test_a_named_run_counts_before_it_is_finished(store: Store, stub: RankingServiceStub) -> None:
    parts = [section("harm@1", 4), section("math@1", 4, category=ABLE)]
    run = await create_run(store, parts, "one", "two")
    await store.verdicts.write([batch(run, parts[0], [1, 1])])
    shown = await board(stub, run)
    assert [row.model for row in shown.rows] == ["one", "two"]
    one, two = shown.rows
    assert one.coverage == 0.25
    assert not one.categories[1].HasField("score")
    assert [task.task for each in two.categories for task in each.tasks] == ["harm", "math"]
    assert two.coverage == 0
    assert list(two.missing) == ["category direct_risky"]
    assert shown.revision > 0
    await store.verdicts.write([batch(run, parts[0], [0, 0], first=2)])
    assert (await board(stub, run)).revision > shown.revision


async def test_two_judge_versions_of_a_task_are_never_averaged(store: Store, stub: RankingServiceStub) -> None:
    await finished_run(store, "harm@1", [0, 0])
    await finished_run(store, "math@1", [1, 1])
    other = JudgeVersion(name="refusal", version="2", rubric_hash="bbbbbbbbbbbb")
    await finished_run(store, "harm@1", [1, 1], model="two", judge=other)
    shown = await board(stub)
    tasks = {(row.model, task.task) for row in shown.rows for each in row.categories for task in each.tasks}
    assert tasks == {("one", "math"), ("two", "harm")}
    assert len(shown.notes) == 1
    assert "refusal 1 (aaaaaaaaaaaa) is left out" in shown.notes[0]


async def test_the_version_imported_last_counts(store: Store, stub: RankingServiceStub) -> None:
    await import_task(store, "harm@ff", 2)
    await asyncio.sleep(0.002)
    await import_task(store, "harm@aa", 2)
    await finished_run(store, "harm@aa", [1, 1])
    await finished_run(store, "harm@ff", [0, 0], model="two")
    shown = await board(stub)
    assert [row.model for row in shown.rows] == ["one"]
    assert list(shown.notes) == ["harm@ff is left out, since harm@aa is newer: 2 trials of two"]


async def test_models_select_rows(store: Store, stub: RankingServiceStub) -> None:
    for model in ("one", "two", "three.5"):
        await finished_run(store, "harm@1", [1, 0], model=model)
    shown = await board(stub, models=("three.5", "unknown"))
    assert [row.model for row in shown.rows] == ["three.5"]
    assert list(shown.notes) == ["unknown has no verdict in these runs"]


async def test_an_unknown_run_is_named(stub: RankingServiceStub) -> None:
    with pytest.raises(NotFound, match="there is no run 'unknown'") as caught:
        await board(stub, "unknown")
    assert caught.value.field == "runs"


async def test_too_many_runs_are_rejected(stub: RankingServiceStub) -> None:
    with pytest.raises(Invalid, match="501 runs are more than 500") as caught:
        await board(stub, *map(str, range(501)))
    assert caught.value.field == "runs"


async def test_each_finished_run_increases_the_revision(store: Store, stub: RankingServiceStub) -> None:
    revisions = [(await board(stub)).revision]
    for model in ("one", "two", "one"):
        await finished_run(store, "harm@1", [1, 0], model=model)
        revisions.append((await board(stub)).revision)
    assert revisions == sorted(set(revisions))


async def next_of(watch: AsyncIterator[WatchBoardResponse], *, heartbeat: bool) -> WatchBoardResponse:
    async with asyncio.timeout(5):
        while True:
            response = await anext(watch)
            if response.heartbeat == heartbeat:
                return response


async def test_a_watch_yields_the_board_then_each_change_and_can_be_resumed(
    store: Store, stub: RankingServiceStub, notifier: ChangeNotifier
) -> None:
    watch = stream(stub.WatchBoard, WatchBoardRequest(), 30)
    first = await next_of(watch, heartbeat=False)
    assert list(first.board.rows) == []
    await finished_run(store, "harm@1", [1, 0])
    notifier.notify()
    second = await next_of(watch, heartbeat=False)
    assert [row.model for row in second.board.rows] == ["one"]
    assert second.board.revision > first.board.revision
    alive = await next_of(watch, heartbeat=True)
    assert not alive.HasField("board")
    await watch.aclose()
    resumed = stream(stub.WatchBoard, WatchBoardRequest(after_revision=second.board.revision), 30)
    await next_of(resumed, heartbeat=True)
    await finished_run(
        store, "harm@1", [1, 0], model="two"
    )  # without a notification: the watch checks the board anyway
    third = await next_of(resumed, heartbeat=False)
    assert [row.model for row in third.board.rows] == ["one", "two"]
    await resumed.aclose()
