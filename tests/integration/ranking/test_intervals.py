"""How sure a board is: clustered errors, intervals, capabilities from elsewhere and corrected scores, over gRPC."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from tests.integration.support.ranking_world import (
    CALIBRATION,
    IMPATIENT,
    batch,
    create_run,
    finished_run,
    section,
    serving,
)

from libra.errors import Invalid, Unavailable
from libra.ranking.queries.boards import BoardQuery, Boards
from libra.ranking.queries.sample_sums_loader import SampleSumsLoader
from libra.rpc.client import call, stream
from libra.store import indexes
from libra.store.cells import Cell
from libra.store.client import Store
from libra.store.sample_sums import Key, SampleSums, SampleSumsCollection
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


async def evaluated(store: Store, model: str, harm: Sequence[float], math_: Sequence[float] = ()) -> None:
    """A finished run of the model on harm and, if it has scores there, math."""
    parts = [section("harm@1", len(harm)), section("math@1", len(math_), category=ABLE)]
    run = await create_run(store, [part for part in parts if part.trials], model)
    for part, scores in zip(parts, (harm, math_), strict=True):
        await store.verdicts.write([batch(run, part, scores, model=model)])
    await store.runs.end(run, FINISHED)


def figure(model: str, value: float, error: float | None = None) -> Capability:
    made = Capability(
        model=model, published=800 + 700 * value, value=value, scale="elo", zero=800, one=1500, source="arena.csv"
    )
    if error is not None:
        made.standard_error = error
    return made


def holds_together(estimate: Estimate) -> bool:
    return 0 <= estimate.low <= estimate.value <= estimate.high <= 1 and estimate.low < estimate.high


async def test_every_level_has_its_interval_and_every_model_its_ranks(store: Store, stub: RankingServiceStub) -> None:
    await evaluated(store, "good", [1.0] * 20, [1.0] * 20)
    await evaluated(store, "fair", [1.0] * 19 + [0.0], [1.0] * 20)
    await evaluated(store, "poor", [0.0] * 20, [0.0] * 20)
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


async def test_the_other_formulas_have_ranks_of_their_own(store: Store, stub: RankingServiceStub) -> None:
    await evaluated(store, "even", [1.0] * 10 + [0.0] * 10, HALF)
    await evaluated(store, "one-sided", [1.0] * 20, [0.0] * 19 + [1.0])
    one, two = (await board(stub)).rows
    assert (one.model, one.rank, one.rank_by_sum, one.rank_by_norm) == ("even", 1, 2, 2)
    assert (two.rank, two.rank_by_sum, two.rank_by_norm) == (2, 1, 1)
    assert one.overall.value == pytest.approx(0.5)
    assert two.overall_by_sum.value == pytest.approx((1 + 0.05) / 2)
    assert two.overall_by_norm.value == pytest.approx(math.sqrt((1 + 0.05**2) / 2))


async def test_attacks_on_the_same_samples_are_no_new_samples(store: Store, stub: RankingServiceStub) -> None:
    parts = [section("harm@1", 20, attack=f"attack-{n}", category=ATTACKED) for n in range(4)]
    run = await create_run(store, parts)
    await store.verdicts.write([batch(run, part, HALF) for part in parts])
    await store.runs.end(run, FINISHED)
    [row] = (await board(stub)).rows
    of_task = math.sqrt(20 / 19 * 0.25 / 20)
    assert row.categories[0].tasks[0].score.standard_error == pytest.approx(of_task)
    assert row.categories[0].score.standard_error == pytest.approx(of_task)
    assert row.safety.standard_error == pytest.approx(of_task)


async def test_epochs_of_a_sample_are_no_new_samples(store: Store, stub: RankingServiceStub) -> None:
    part = section("harm@1", 80)
    run = await create_run(store, [part], epochs=4)
    await store.verdicts.write([batch(run, part, HALF, epoch=epoch) for epoch in range(4)])
    await store.runs.end(run, FINISHED)
    [row] = (await board(stub)).rows
    assert row.safety.n == 80
    assert row.safety.standard_error == pytest.approx(math.sqrt(20 / 19 * 0.25 / 20))


async def test_without_the_verdicts_trials_are_taken_for_independent_and_that_is_said(
    store: Store, stub: RankingServiceStub
) -> None:
    part = section("harm@1", 80)
    run = await create_run(store, [part], epochs=4)
    await store.verdicts.write([batch(run, part, HALF, epoch=epoch) for epoch in range(4)])
    await store.runs.end(run, FINISHED)
    await store._database[indexes.VERDICTS].delete_many({})
    shown = await board(stub)
    assert shown.rows[0].safety.standard_error == pytest.approx(math.sqrt(0.25 / 79))
    assert "without all their verdicts" in shown.notes[0]


async def test_a_board_does_not_wait_for_what_takes_long_and_is_completed_later(store: Store) -> None:
    part = section("harm@1", 80)
    run = await create_run(store, [part], epochs=4)
    await store.verdicts.write([batch(run, part, HALF, epoch=epoch) for epoch in range(4)])
    await store.runs.end(run, FINISHED)
    completed = asyncio.Event()
    boards = Boards(store, completed.set, wait_seconds=0.0)
    early = await boards.read()
    assert early.rows[0].safety.standard_error == pytest.approx(math.sqrt(0.25 / 79))
    assert "1 score is not yet taken apart by sample" in early.notes[0]
    async with asyncio.timeout(10):
        await completed.wait()
    late = await boards.read()
    assert late.rows[0].safety.standard_error == pytest.approx(math.sqrt(20 / 19 * 0.25 / 20))
    assert list(late.notes) == []
    assert late.revision == early.revision + 1
    assert (await boards.answer()) is (await boards.answer())


async def test_a_watch_is_shown_the_board_again_when_it_is_complete(store: Store) -> None:
    await finished_run(store, "harm@1", HALF)
    async with serving(store, settings=replace(IMPATIENT, gather_seconds=0.0)) as stub:
        watch = stream(stub.WatchBoard, WatchBoardRequest(), 30)
        async with asyncio.timeout(10):
            early, late = await anext(watch), await anext(watch)
        await watch.aclose()  # type: ignore[attr-defined]  # a generator
    assert len(early.board.notes) == 1
    assert list(late.board.notes) == []
    assert late.board.revision == early.board.revision + 1


async def test_a_choice_of_capability_that_there_is_not_is_refused(stub: RankingServiceStub) -> None:
    with pytest.raises(Invalid, match="7 is no choice of capability") as caught:
        await board(stub, GetBoardRequest(capability=7))  # type: ignore[arg-type]  # as another client might send it
    assert caught.value.field == "capability"


class Interrupted(SampleSumsCollection):
    """A way to what is kept that is cut off once."""

    cut_off = False

    async def gather(self, cells: Sequence[Cell]) -> dict[Key, SampleSums]:
        if not self.cut_off:
            self.cut_off = True
            raise Unavailable("MongoDB cannot be reached")
        return await super().gather(cells)


async def test_gathering_that_was_cut_off_is_taken_up_by_the_next_who_asks(store: Store) -> None:
    await finished_run(store, "harm@1", HALF)
    cells = await store.cells.of_runs(list(await store.runs.finished()))
    rung: list[bool] = []
    gatherer = SampleSumsLoader(Interrupted(store._database, store._door), 5.0, lambda: rung.append(True))
    first = await gatherer.sums(cells)
    assert (dict(first.sums), first.pending, first.absent, rung) == ({}, 1, 0, [])
    second = await gatherer.sums(cells)
    assert (len(second.sums), second.pending, second.absent, rung) == (1, 0, 0, [True])


class Stuck(SampleSumsCollection):
    """A collection that never finishes gathering sums."""

    async def gather(self, cells: Sequence[Cell]) -> dict[Key, SampleSums]:
        await asyncio.Event().wait()
        raise AssertionError


async def test_gathering_that_was_ended_leaves_the_rest_for_later(store: Store) -> None:
    await finished_run(store, "harm@1", HALF)
    cells = await store.cells.of_runs(list(await store.runs.finished()))
    gatherer = SampleSumsLoader(Stuck(store._database, store._door), 0.0, lambda: None)
    await gatherer.end()
    assert (await gatherer.sums(cells)).pending == 1
    await gatherer.end()
    assert not gatherer.busy
    assert len((await SampleSumsLoader(store.sample_sums, 5.0, lambda: None).sums(cells)).sums) == 1


async def test_a_run_that_goes_on_is_not_taken_apart(store: Store, stub: RankingServiceStub) -> None:
    part = section("harm@1", 40)
    run = await create_run(store, [part])
    await store.verdicts.write([batch(run, part, HALF)])
    going_on = await board(stub, GetBoardRequest(runs=[run]))
    assert "of a run that goes on" in going_on.notes[0]
    await store.runs.end(run, RunState.RUN_STATE_CANCELLED)
    assert list((await board(stub, GetBoardRequest(runs=[run]))).notes) == []


async def test_a_model_without_capability_tasks_has_the_imported_figure(store: Store, stub: RankingServiceStub) -> None:
    await evaluated(store, "measured", HALF, HALF)
    await evaluated(store, "listed", HALF)
    before = await board(stub)
    assert [(row.model, row.rank) for row in before.rows] == [("measured", 1), ("listed", 0)]
    await store.capabilities.put([figure("listed", 0.7, 0.01), figure("measured", 0.9), figure("nobody", 0.1)])
    after = await board(stub)
    assert after.revision > before.revision
    listed, measured = after.rows
    assert listed.model == "listed"
    assert listed.capability_source == "elo, 800 to 1500, from arena.csv"
    assert listed.capability.value == 0.7
    assert listed.capability.standard_error == pytest.approx(0.01)
    assert list(listed.missing) == []
    assert measured.capability_source == "tasks"
    assert after.notes[0].startswith("capability is not of one kind, so Overall is not either: elo, 800 to 1500")


async def test_which_capability_is_wanted_can_be_said(store: Store, stub: RankingServiceStub) -> None:
    await evaluated(store, "measured", HALF, HALF)
    await evaluated(store, "listed", HALF)
    await store.capabilities.put([figure("listed", 0.7), figure("measured", 0.9)])
    by_tasks = {row.model: row for row in (await board(stub, GetBoardRequest(capability=TASKS_ALONE))).rows}
    assert by_tasks["measured"].capability.value == 0.5
    assert not by_tasks["listed"].HasField("capability")
    assert list(by_tasks["listed"].missing) == ["category capability"]
    shown = await board(stub, GetBoardRequest(capability=IMPORTED))
    assert [(row.model, row.capability.value) for row in shown.rows] == [("measured", 0.9), ("listed", 0.7)]
    assert [list(row.missing) for row in shown.rows] == [[], []]
    # Without a standard error nothing is said about how sure it is, and every rank is possible.
    assert not any(row.overall.HasField("low") for row in shown.rows)
    assert [(row.rank_low, row.rank_high) for row in shown.rows] == [(1, 2), (1, 2)]
    assert "came without a standard error" in shown.notes[0]


async def test_whoever_has_no_imported_figure_lacks_one_where_others_have_it(
    store: Store, stub: RankingServiceStub
) -> None:
    await evaluated(store, "measured", HALF, HALF)
    await evaluated(store, "listed", HALF)
    await store.capabilities.put([figure("listed", 0.7, 0.01)])
    shown = await board(stub, GetBoardRequest(capability=IMPORTED))
    assert [(row.model, list(row.missing)) for row in shown.rows] == [
        ("listed", []),
        ("measured", ["an imported capability"]),
    ]


async def test_scores_are_corrected_by_what_is_known_of_their_judge(store: Store, stub: RankingServiceStub) -> None:
    await evaluated(store, "one", [1.0] * 16 + [0.0] * 4, [0.5] * 20)
    [plain] = (await board(stub)).rows
    assert not plain.categories[0].tasks[0].HasField("corrected")
    await store.calibrations.put(CALIBRATION)
    [beside] = (await board(stub)).rows
    harm = beside.categories[0].tasks[0]
    assert harm.corrected.value == pytest.approx((0.8 + 0.8 - 1) / 0.7)
    assert harm.corrected.standard_error > harm.score.standard_error
    assert beside.safety.value == plain.safety.value == harm.score.value
    shown = await board(stub, GetBoardRequest(correct_judges=True))
    assert shown.rows[0].safety.value == pytest.approx(harm.corrected.value)
    assert shown.rows[0].capability.value == 0.5
    assert [note.partition(":")[0] for note in shown.notes] == [
        "1 score is corrected for the errors of refusal 1, as measured by labels.csv",
        "not corrected, since scores between 0 and 1 are neither right nor wrong",
    ]


async def test_no_models_scores_change_when_another_comes_or_goes(store: Store) -> None:
    """As they are sent, intervals and all, whatever the others have: figures, tasks, attacks or nothing."""
    await store.calibrations.put(CALIBRATION)
    await evaluated(store, "one", [1.0] * 15 + [0.0] * 5, HALF)
    await evaluated(store, "two", HALF)
    await store.capabilities.put([figure("two", 0.7, 0.01), figure("best", 1.0, 0.001), figure("worst", 0.0)])
    wants = [BoardQuery(choice=choice, correct=correct) for choice in (0, 1, 2) for correct in (False, True)]
    before = {want: scores_of((await Boards(store).answer((), want)).board) for want in wants}
    await evaluated(store, "best", [1.0] * 20, [1.0] * 20)
    await evaluated(store, "worst", [0.0] * 20)
    await finished_run(store, "more@1", [1.0, 0.0], model="another")
    for want in wants:
        after = scores_of((await Boards(store).answer((), want)).board)
        assert {name: after[name] for name in ("one", "two")} == before[want]


def scores_of(shown: Board) -> dict[str, BoardRow]:
    """What a row says of its model alone."""
    rows = {}
    for row in shown.rows:
        kept = BoardRow()
        kept.CopyFrom(row)
        for field in ("rank", "rank_low", "rank_high", "rank_by_sum", "rank_by_norm", "missing"):
            kept.ClearField(field)
        rows[row.model] = kept
    return rows
