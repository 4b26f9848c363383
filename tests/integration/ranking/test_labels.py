"""Labels from the draw to the board, through the service and a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from tests.integration.support.ranking_world import (
    FINISHED,
    batch,
    create_run,
    failed,
    section,
    store_completions,
)
from tests.integration.support.serving import serve

from libra.core.errors import FailedPrecondition, Invalid, NotFound
from libra.ranking.change_notifier import ChangeNotifier
from libra.ranking.labels.label_service import LabelService
from libra.ranking.service import RankingService
from libra.ranking.settings import Settings
from libra.rpc.client import call, stream
from libra.store.client import Store
from libra.v1.label_pb2 import (
    DrawnTrial,
    DrawSampleRequest,
    ImportLabelsRequest,
    ImportLabelsResponse,
    Label,
    ListLabelsRequest,
)
from libra.v1.label_pb2_grpc import LabelServiceStub, add_LabelServiceServicer_to_server
from libra.v1.ranking_pb2 import Board, GetBoardRequest, GetBoardResponse, GetWeightsRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub, add_RankingServiceServicer_to_server
from libra.v1.verdict_pb2 import Outcome

TASK = "harm@0123456789ab"
SAMPLES = 80


@dataclass(frozen=True)
class Services:
    labels: LabelServiceStub
    ranking: RankingServiceStub

    async def draw(self, run: str, size: int, **more: str) -> list[DrawnTrial]:
        request = DrawSampleRequest(run=run, size=size, **more)
        return [trial async for reply in stream(self.labels.DrawSample, request, 60) for trial in reply.trials]

    async def import_labels(self, run: str, labels: Sequence[Label]) -> ImportLabelsResponse:
        reply: ImportLabelsResponse = await call(
            self.labels.ImportLabels, ImportLabelsRequest(run=run, labels=labels), 60
        )
        return reply

    async def board(self, **options: bool) -> Board:
        reply: GetBoardResponse = await call(self.ranking.GetBoard, GetBoardRequest(**options), 60)  # type: ignore[arg-type]  # flags
        return reply.board


@pytest.fixture
async def services(store: Store) -> AsyncIterator[Services]:
    ranking = RankingService(store, ChangeNotifier(), Settings())
    served: list[tuple[Any, Any, str]] = [
        (add_RankingServiceServicer_to_server, ranking, "libra.v1.RankingService"),
        (add_LabelServiceServicer_to_server, LabelService(store), "libra.v1.LabelService"),
    ]
    async with serve(*served) as opened:
        yield Services(LabelServiceStub(opened), RankingServiceStub(opened))
    ended = asyncio.Event()
    ended.set()
    await ranking.close_after(ended)


async def make_run(store: Store) -> str:
    """Write a finished run of two models: of 80 answers the judge calls half right; two are blocked, one failed."""
    part = section(TASK, SAMPLES)
    run = await create_run(store, [part], "one", "two")
    for model in ("one", "two"):
        judged = batch(run, part, [float(sample % 2) for sample in range(SAMPLES - 3)], model=model)
        blocked = batch(run, part, [1.0, 1.0], model=model, first=SAMPLES - 3)
        for verdict in blocked.verdicts:
            verdict.outcome = Outcome.OUTCOME_FILTERED
        await store.verdicts.write([judged, blocked, failed(run, part, [SAMPLES - 1], model=model)])
        await store_completions(store, model, range(SAMPLES))
    await store.runs.mark_ended(run, FINISHED)
    return run


def answer(drawn: DrawnTrial, score: float, author: str = "ann") -> Label:
    return Label(trial=drawn.verdict.id, score=score, author=author, inclusion_probability=drawn.inclusion_probability)


async def test_a_draw_has_the_same_number_of_scored_answers_of_each_model(store: Store, services: Services) -> None:
    run = await make_run(store)
    drawn = await services.draw(run, 40)
    assert [each.verdict.model for each in drawn] == ["one"] * 40 + ["two"] * 40
    assert {each.verdict.outcome for each in drawn} == {Outcome.OUTCOME_SCORED}
    assert {each.inclusion_probability for each in drawn} == {40 / 77}
    assert all(each.verdict.completion.text.startswith("No.") for each in drawn)
    assert all(each.verdict.messages for each in drawn)
    assert not any(each.HasField("label") for each in drawn)
    assert await services.draw(run, 40) == drawn
    only = await services.draw(run, 1000, model="two", task="harm", attack="none")
    assert len(only) == 77
    assert await services.draw(run, 5, task="unknown") == []


async def test_a_draw_needs_a_finished_run_and_a_size(store: Store, services: Services) -> None:
    with pytest.raises(NotFound):
        await services.draw("01JZ0000000000000000000000", 10)
    running = await create_run(store, [section(TASK, 5)])
    with pytest.raises(FailedPrecondition, match="not finished"):
        await services.draw(running, 10)
    run = await make_run(store)
    with pytest.raises(Invalid, match="between 1 and 10,000"):
        await services.draw(run, 0)


async def test_labels_correct_the_board_from_then_on(store: Store, services: Services) -> None:
    run = await make_run(store)
    before = await services.board(use_labels=True)
    assert any("no score is corrected by labels" in note for note in before.notes)
    drawn = await services.draw(run, 40)
    # People call everything right that the first model says, and agree with the judge on the second.
    labels = [answer(each, 1.0 if each.verdict.model == "one" else each.verdict.score) for each in drawn]
    reply = await services.import_labels(run, labels)
    assert (reply.added, reply.changed, reply.unchanged) == (80, 0, 0)
    board = await services.board(use_labels=True)
    assert board.revision > before.revision
    tasks = {row.model: row.categories[0].tasks[0] for row in board.rows}
    assert tasks["one"].labelled.value == pytest.approx(1.0)
    assert tasks["one"].score.value == pytest.approx((38 + 2) / 79)
    assert tasks["two"].labelled.value == pytest.approx(tasks["two"].score.value, abs=0.02)
    assert tasks["one"].labels == 40
    safety = {row.model: row.safety.value for row in board.rows}
    assert safety["one"] == pytest.approx(1.0)
    assert any("2 scores are corrected by 80 labels of people, 40 each" in note for note in board.notes)
    # Without the option, and for the verdicts, nothing changes.
    plain = await services.board()
    assert {row.safety.value for row in plain.rows} == {tasks["one"].score.value}
    assert not plain.rows[0].categories[0].tasks[0].HasField("labelled")
    await call(services.ranking.GetWeights, GetWeightsRequest(use_labels=True), 60)


async def test_an_import_can_be_repeated_and_a_changed_label_keeps_the_earlier(
    store: Store, services: Services
) -> None:
    run = await make_run(store)
    drawn = await services.draw(run, 5, model="one")
    labels = [answer(each, 1.0) for each in drawn]
    await services.import_labels(run, labels)
    again = await services.import_labels(run, labels)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 5)
    changed = await services.import_labels(run, [answer(drawn[0], 0.0, "bob"), *labels[1:]])
    assert (changed.added, changed.changed, changed.unchanged) == (0, 1, 4)
    request = ListLabelsRequest(run=run, page_size=3)
    first = await call(services.labels.ListLabels, request, 60)
    request.page_token = first.next_page_token
    second = await call(services.labels.ListLabels, request, 60)
    listed = [*first.labels, *second.labels]
    assert [each.trial for each in listed] == [each.verdict.id for each in drawn]
    assert second.next_page_token == ""
    assert [(each.score, each.author) for each in listed[0].earlier] == [(1.0, "ann")]
    assert [each.judged_score for each in listed] == [each.verdict.score for each in drawn]
    # A larger draw shows the labels, and its probability replaces the smaller one.
    larger = await services.draw(run, 10, model="one")
    assert sum(each.HasField("label") for each in larger) == 5
    labelled = [each for each in larger if each.HasField("label")]
    await services.import_labels(run, [answer(each, each.label.score, each.label.author) for each in labelled])
    stored = await store.labels.list(run, limit=10)
    assert {each.inclusion_probability for each in stored} == {10 / 77}


async def test_only_scored_trials_of_the_run_can_be_labelled(store: Store, services: Services) -> None:
    run = await make_run(store)

    def label(sample: int, model: str = "one") -> Label:
        return Label(trial=f"{run}/0/{model}/{TASK}/none/{sample:08d}/0000", score=1, author="ann")

    for labels, field, message in [
        ([label(0), label(SAMPLES - 2)], "labels[1].trial", "needs no label"),
        ([label(SAMPLES - 1)], "labels[0].trial", "there is no answer"),
        ([label(SAMPLES)], "labels[0].trial", "has no verdict"),
        ([label(0, "three")], "labels[0].trial", "has no verdict"),
    ]:
        with pytest.raises(Invalid, match=message) as caught:
            await services.import_labels(run, labels)
        assert caught.value.field == field
    assert await store.labels.list(run, limit=10) == []
    # A label that was not drawn is stored, and corrects nothing.
    await services.import_labels(run, [label(0)])
    assert (
        "labels of answers that were not drawn at random are not used: 1"
        in (await services.board(use_labels=True)).notes
    )


async def test_benchmark_accuracy_is_shown_beside_the_scores(store: Store, services: Services) -> None:
    part = section(TASK, 40)
    run = await create_run(store, [part], "one", epochs=2)
    scores = [float(sample % 2) for sample in range(20)]
    await store.verdicts.write([batch(run, part, scores, epoch=epoch) for epoch in (0, 1)])
    await store.runs.mark_ended(run, FINISHED)
    (row,) = (await services.board(benchmark_accuracy=True)).rows
    task = row.categories[0].tasks[0]
    assert task.benchmark.value == task.score.value == 0.5
    assert task.benchmark.high - task.benchmark.low < 0.3 * (task.score.high - task.score.low)
    assert row.categories[0].benchmark.HasField("low")
    assert row.safety_benchmark.HasField("low")
    (plain,) = (await services.board()).rows
    assert not plain.HasField("safety_benchmark")
    with pytest.raises(Invalid, match="leave corrections out"):
        await services.board(benchmark_accuracy=True, use_labels=True)
