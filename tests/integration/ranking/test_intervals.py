"""Uncertainty of a board: clustered errors, intervals, capabilities from elsewhere and corrected scores, over gRPC."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

import pytest
from tests.integration.support.ranking_world import (
    CALIBRATION,
    SHORT_INTERVALS,
    batch,
    create_run,
    finished_run,
    section,
    serving,
)

from libra.core.errors import Invalid, Unavailable
from libra.ranking.queries.board_cache import BoardCache
from libra.ranking.queries.board_loader import BoardQuery
from libra.ranking.queries.sample_sums_loader import SampleSumsLoader
from libra.rpc.client import call, stream
from libra.store import indexes
from libra.store.client import Store
from libra.store.sums.cells import Cell, CellKey
from libra.store.sums.sample_sums import CachedSampleSums, SampleSums, SampleSumsCollection
from libra.v1.ranking_pb2 import (
    Board,
    BoardRow,
    Capability,
    CapabilityChoice,
    Estimate,
    GetBoardRequest,
    GetBoardResponse,
    WatchBoardRequest,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import RunState
from libra.v1.task_pb2 import Category

ABLE, ATTACKED = Category.CATEGORY_CAPABILITY, Category.CATEGORY_ADVERSARIAL
FINISHED = RunState.RUN_STATE_FINISHED
TASKS_ALONE = CapabilityChoice.CAPABILITY_CHOICE_TASKS
IMPORTED = CapabilityChoice.CAPABILITY_CHOICE_IMPORTED
HALF = [1.0, 0.0] * 10


@pytest.fixture
async def stub(store: Store) -> AsyncIterator[RankingServiceStub]:
    async with serving(store) as client:
        yield client


async def board(stub: RankingServiceStub, request: GetBoardRequest | None = None) -> Board:
    response: GetBoardResponse = await call(stub.GetBoard, request or GetBoardRequest(), 10)
    return response.board


async def write_run(store: Store, model: str, harm: Sequence[float], math_: Sequence[float] = ()) -> None:
    """Write a finished run of the model on harm and, with scores, on math."""
    parts = [section("harm@1", len(harm)), section("math@1", len(math_), category=ABLE)]
    run = await create_run(store, [part for part in parts if part.trials], model)
    for part, scores in zip(parts, (harm, math_), strict=True):
        await store.verdicts.write([batch(run, part, scores, model=model)])
    await store.runs.mark_ended(run, FINISHED)


def figure(model: str, value: float, error: float | None = None) -> Capability:
    made = Capability(
        model=model, published=800 + 700 * value, value=value, scale="elo", zero=800, one=1500, source="arena.csv"
    )
    if error is not None:
        made.standard_error = error
    return made


def holds_together(estimate: Estimate) -> bool:
    return 0 <= estimate.low <= estimate.value <= estimate.high <= 1 and estimate.low < estimate.high


async def test_every_level_has_an_interval_and_every_model_has_ranks(store: Store, stub: RankingServiceStub) -> None:
    await write_run(store, "good", [1.0] * 20, [1.0] * 20)
    await write_run(store, "fair", [1.0] * 19 + [0.0], [1.0] * 20)
    await write_run(store, "poor", [0.0] * 20, [0.0] * 20)
    rows = {row.model: row for row in (await board(stub)).rows}
    for row in rows.values():
        of_tasks = [task.score for each in row.categories for task in each.tasks]
        of_categories = [each.score for each in row.categories]
        for estimate in [row.overall, row.safety, row.capability, *of_categories, *of_tasks]:
            assert holds_together(estimate)
        assert holds_together(row.overall_by_sum)
        assert holds_together(row.overall_by_norm)
    standings = {name: (row.rank, row.rank_low, row.rank_high) for name, row in rows.items()}
    assert standings == {"good": (1, 1, 2), "fair": (2, 1, 2), "poor": (3, 3, 3)}
    assert rows["fair"].capability_source == "tasks"


async def test_each_formula_of_overall_has_its_own_ranks(store: Store, stub: RankingServiceStub) -> None:
    await write_run(store, "even", [1.0] * 10 + [0.0] * 10, HALF)
    await write_run(store, "one-sided", [1.0] * 20, [0.0] * 19 + [1.0])
    one, two = (await board(stub)).rows
    assert (one.model, one.rank, one.rank_by_sum, one.rank_by_norm) == ("even", 1, 2, 2)
    assert (two.rank, two.rank_by_sum, two.rank_by_norm) == (2, 1, 1)
    assert one.overall.value == pytest.approx(0.5)
    assert two.overall_by_sum.value == pytest.approx((1 + 0.05) / 2)
    assert two.overall_by_norm.value == pytest.approx(math.sqrt((1 + 0.05**2) / 2))


async def test_attacks_on_the_same_samples_do_not_reduce_the_error(store: Store, stub: RankingServiceStub) -> None:
    parts = [section("harm@1", 20, attack=f"attack-{n}", category=ATTACKED) for n in range(4)]
    run = await create_run(store, parts)
    await store.verdicts.write([batch(run, part, HALF) for part in parts])
    await store.runs.mark_ended(run, FINISHED)
    [row] = (await board(stub)).rows
    of_task = math.sqrt(20 / 19 * 0.25 / 20)
    assert row.categories[0].tasks[0].score.standard_error == pytest.approx(of_task)
    assert row.categories[0].score.standard_error == pytest.approx(of_task)
    assert row.safety.standard_error == pytest.approx(of_task)


async def test_epochs_of_a_sample_do_not_reduce_the_error(store: Store, stub: RankingServiceStub) -> None:
    part = section("harm@1", 80)
    run = await create_run(store, [part], epochs=4)
    await store.verdicts.write([batch(run, part, HALF, epoch=epoch) for epoch in range(4)])
    await store.runs.mark_ended(run, FINISHED)
    [row] = (await board(stub)).rows
    assert row.safety.n == 80
    assert row.safety.standard_error == pytest.approx(math.sqrt(20 / 19 * 0.25 / 20))


async def test_without_the_verdicts_trials_count_as_independent_and_a_note_says_so(
    store: Store, stub: RankingServiceStub
) -> None:
    part = section("harm@1", 80)
    run = await create_run(store, [part], epochs=4)
    await store.verdicts.write([batch(run, part, HALF, epoch=epoch) for epoch in range(4)])
    await store.runs.mark_ended(run, FINISHED)
    await store._database[indexes.VERDICTS].delete_many({})
    shown = await board(stub)
    assert shown.rows[0].safety.standard_error == pytest.approx(math.sqrt(0.25 / 79))
    assert "without all their verdicts" in shown.notes[0]


async def test_a_board_does_not_wait_for_sums_by_sample_and_is_completed_later(store: Store) -> None:
    part = section("harm@1", 80)
    run = await create_run(store, [part], epochs=4)
    await store.verdicts.write([batch(run, part, HALF, epoch=epoch) for epoch in range(4)])
    await store.runs.mark_ended(run, FINISHED)
    completed = asyncio.Event()
    boards = BoardCache(store, completed.set, wait_seconds=0.0)
    early = await boards.get_finished_board()
    assert early.rows[0].safety.standard_error == pytest.approx(math.sqrt(0.25 / 79))
    assert "1 score is not yet divided by sample" in early.notes[0]
    async with asyncio.timeout(10):
        await completed.wait()
    late = await boards.get_finished_board()
    assert late.rows[0].safety.standard_error == pytest.approx(math.sqrt(20 / 19 * 0.25 / 20))
    assert list(late.notes) == []
    assert late.revision == early.revision + 1
    assert (await boards.get_board()) is (await boards.get_board())


async def test_a_watch_yields_the_board_again_when_it_is_complete(store: Store) -> None:
    await finished_run(store, "harm@1", HALF)
    async with serving(store, settings=replace(SHORT_INTERVALS, gather_seconds=0.0)) as stub:
        watch = stream(stub.WatchBoard, WatchBoardRequest(), 30)
        async with asyncio.timeout(10):
            early, late = await anext(watch), await anext(watch)
        await watch.aclose()
    assert len(early.board.notes) == 1
    assert list(late.board.notes) == []
    assert late.board.revision == early.board.revision + 1


async def test_an_unknown_choice_of_capability_is_rejected(stub: RankingServiceStub) -> None:
    with pytest.raises(Invalid, match="7 is no choice of capability") as caught:
        await board(stub, GetBoardRequest(capability=7))  # type: ignore[arg-type]  # as another client might send it
    assert caught.value.field == "capability"


class FailingOnce(SampleSumsCollection):
    """Sums by sample whose first computation fails."""

    has_failed = False

    async def compute(self, cells: Sequence[Cell]) -> dict[CellKey, SampleSums]:
        if not self.has_failed:
            self.has_failed = True
            raise Unavailable("MongoDB cannot be reached")
        return await super().compute(cells)


async def test_a_failed_computation_continues_at_the_next_request(store: Store) -> None:
    await finished_run(store, "harm@1", HALF)
    cells = await store.cells.list_for_runs(list(await store.runs.get_finished_revisions()))
    completed_calls: list[bool] = []
    loader = SampleSumsLoader(
        FailingOnce(store._database, store._translate_errors), 5.0, lambda: completed_calls.append(True)
    )
    first = await loader.load(cells)
    assert (dict(first.sums), first.pending, first.absent, completed_calls) == ({}, 1, 0, [])
    second = await loader.load(cells)
    assert (len(second.sums), second.pending, second.absent, completed_calls) == (1, 0, 0, [True])


class NeverFinishing(SampleSumsCollection):
    """Sums by sample whose computation never finishes."""

    async def compute(self, cells: Sequence[Cell]) -> dict[CellKey, SampleSums]:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_closed_loader_leaves_the_rest_for_the_next_request(store: Store) -> None:
    await finished_run(store, "harm@1", HALF)
    cells = await store.cells.list_for_runs(list(await store.runs.get_finished_revisions()))
    loader = SampleSumsLoader(NeverFinishing(store._database, store._translate_errors), 0.0, lambda: None)
    await loader.close()
    assert (await loader.load(cells)).pending == 1
    await loader.close()
    assert not loader.is_computing
    assert len((await SampleSumsLoader(store.sample_sums, 5.0, lambda: None).load(cells)).sums) == 1


async def test_the_cells_of_an_unfinished_run_are_not_divided_by_sample(store: Store, stub: RankingServiceStub) -> None:
    part = section("harm@1", 40)
    run = await create_run(store, [part])
    await store.verdicts.write([batch(run, part, HALF)])
    going_on = await board(stub, GetBoardRequest(runs=[run]))
    assert "of an unfinished run" in going_on.notes[0]
    await store.runs.mark_ended(run, RunState.RUN_STATE_CANCELLED)
    assert list((await board(stub, GetBoardRequest(runs=[run]))).notes) == []


async def test_a_model_without_capability_tasks_has_the_imported_figure(store: Store, stub: RankingServiceStub) -> None:
    await write_run(store, "measured", HALF, HALF)
    await write_run(store, "listed", HALF)
    before = await board(stub)
    assert [(row.model, row.rank) for row in before.rows] == [("measured", 1), ("listed", 0)]
    await store.capabilities.upsert([figure("listed", 0.7, 0.01), figure("measured", 0.9), figure("unknown", 0.1)])
    after = await board(stub)
    assert after.revision > before.revision
    listed, measured = after.rows
    assert listed.model == "listed"
    assert listed.capability_source == "elo, 800 to 1500, from arena.csv"
    assert listed.capability.value == 0.7
    assert listed.capability.standard_error == pytest.approx(0.01)
    assert list(listed.missing) == []
    assert measured.capability_source == "tasks"
    assert after.notes[0].startswith("capability comes from different sources, and so does Overall: elo, 800 to 1500")


async def test_the_kind_of_capability_can_be_selected(store: Store, stub: RankingServiceStub) -> None:
    await write_run(store, "measured", HALF, HALF)
    await write_run(store, "listed", HALF)
    await store.capabilities.upsert([figure("listed", 0.7), figure("measured", 0.9)])
    by_tasks = {row.model: row for row in (await board(stub, GetBoardRequest(capability=TASKS_ALONE))).rows}
    assert by_tasks["measured"].capability.value == 0.5
    assert not by_tasks["listed"].HasField("capability")
    assert list(by_tasks["listed"].missing) == ["category capability"]
    shown = await board(stub, GetBoardRequest(capability=IMPORTED))
    assert [(row.model, row.capability.value) for row in shown.rows] == [("measured", 0.9), ("listed", 0.7)]
    assert [list(row.missing) for row in shown.rows] == [[], []]
    # Without a standard error there is no interval, and every rank is possible.
    assert not any(row.overall.HasField("low") for row in shown.rows)
    assert [(row.rank_low, row.rank_high) for row in shown.rows] == [(1, 2), (1, 2)]
    assert "has no standard error" in shown.notes[0]


async def test_an_imported_figure_is_missing_where_other_models_have_one(
    store: Store, stub: RankingServiceStub
) -> None:
    await write_run(store, "measured", HALF, HALF)
    await write_run(store, "listed", HALF)
    await store.capabilities.upsert([figure("listed", 0.7, 0.01)])
    shown = await board(stub, GetBoardRequest(capability=IMPORTED))
    assert [(row.model, list(row.missing)) for row in shown.rows] == [
        ("listed", []),
        ("measured", ["an imported capability"]),
    ]


async def test_scores_are_corrected_with_the_calibration_of_their_judge(store: Store, stub: RankingServiceStub) -> None:
    await write_run(store, "one", [1.0] * 16 + [0.0] * 4, [0.5] * 20)
    [plain] = (await board(stub)).rows
    assert not plain.categories[0].tasks[0].HasField("corrected")
    await store.calibrations.upsert(CALIBRATION)
    [calibrated] = (await board(stub)).rows
    harm = calibrated.categories[0].tasks[0]
    assert harm.corrected.value == pytest.approx((0.8 + 0.8 - 1) / 0.7)
    assert harm.corrected.standard_error > harm.score.standard_error
    assert calibrated.safety.value == plain.safety.value == harm.score.value
    shown = await board(stub, GetBoardRequest(correct_judges=True))
    assert shown.rows[0].safety.value == pytest.approx(harm.corrected.value)
    assert shown.rows[0].capability.value == 0.5
    assert [note.partition(":")[0] for note in shown.notes] == [
        "1 score is corrected for the errors of refusal 1, as measured by labels.csv",
        "not corrected, since scores between 0 and 1 are neither right nor wrong",
    ]


async def test_the_scores_of_a_model_do_not_change_with_other_models(store: Store) -> None:
    """The messages are equal, with their intervals, whatever the others have: figures, tasks, attacks or nothing."""
    await store.calibrations.upsert(CALIBRATION)
    await write_run(store, "one", [1.0] * 15 + [0.0] * 5, HALF)
    await write_run(store, "two", HALF)
    await store.capabilities.upsert([figure("two", 0.7, 0.01), figure("best", 1.0, 0.001), figure("worst", 0.0)])
    queries = [
        BoardQuery(capability_choice=choice, correct_judges=correct)
        for choice in (0, 1, 2)
        for correct in (False, True)
    ]
    before = {query: scores_of((await BoardCache(store).get_board((), query)).board) for query in queries}
    await write_run(store, "best", [1.0] * 20, [1.0] * 20)
    await write_run(store, "worst", [0.0] * 20)
    await finished_run(store, "more@1", [1.0, 0.0], model="another")
    for query in queries:
        after = scores_of((await BoardCache(store).get_board((), query)).board)
        assert {name: after[name] for name in ("one", "two")} == before[query]


async def test_a_board_that_was_kept_equals_one_that_is_computed_anew(store: Store) -> None:
    kept = BoardCache(store)
    queries = [BoardQuery(), BoardQuery(correct_judges=True), BoardQuery(capability_choice=IMPORTED)]
    changes: list[Callable[[], Awaitable[object]]] = [
        lambda: write_run(store, "one", [1.0] * 15 + [0.0] * 5, HALF),
        lambda: write_run(store, "two", HALF),
        lambda: store.capabilities.upsert([figure("two", 0.7, 0.01)]),
        lambda: write_run(store, "one", [0.0] * 12 + [1.0] * 8),
        lambda: store.calibrations.upsert(CALIBRATION),
        lambda: finished_run(store, "more@1", [1.0, 0.0], model="one"),
        lambda: finished_run(store, "harm@2", [1.0, 0.0], model="three"),
    ]
    for change in changes:
        await change()
        for query in queries:
            boards = [(await cache.get_board((), query)).board for cache in (kept, BoardCache(store))]
            assert "pending" not in str(boards[0].notes)
            for each in boards:
                each.ClearField("create_time")
            assert boards[0] == boards[1]


async def test_only_the_changed_models_are_computed_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[set[str]] = []
    load = SampleSumsCollection.get_cached

    async def note_models(self: SampleSumsCollection, cells: Sequence[Cell]) -> CachedSampleSums:
        loaded.append({cell.model for cell in cells})
        return await load(self, cells)

    for model in ("one", "two"):
        await write_run(store, model, HALF, HALF)
    boards = BoardCache(store)
    await boards.get_board()
    monkeypatch.setattr(SampleSumsCollection, "get_cached", note_models)
    await write_run(store, "two", [1.0] * 20)
    await boards.get_board()
    assert set().union(*loaded) == {"two"}


def scores_of(shown: Board) -> dict[str, BoardRow]:
    """Return the parts of each row that must not depend on other models."""
    rows = {}
    for row in shown.rows:
        scores = BoardRow()
        scores.CopyFrom(row)
        for field in ("rank", "rank_low", "rank_high", "rank_by_sum", "rank_by_norm", "missing"):
            scores.ClearField(field)
        rows[row.model] = scores
    return rows
