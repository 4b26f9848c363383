"""Boards by fields of samples, over gRPC, with the real store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from tests.integration.support.ranking_world import CALIBRATION, FINISHED, batch, create_run, failed, section, serving

from libra.core.errors import Invalid, NotFound
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.ranking_pb2 import (
    Board,
    BoardRow,
    Capability,
    GetBoardRequest,
    GetGroupedBoardRequest,
    GetGroupedBoardResponse,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import OutcomeCounts, ResponseCounts
from libra.v1.task_pb2 import Category, Sample, Task
from libra.v1.verdict_pb2 import Outcome

RISKY, ADVERSARIAL, ABLE = Category.CATEGORY_DIRECT_RISKY, Category.CATEGORY_ADVERSARIAL, Category.CATEGORY_CAPABILITY
AREAS: Sequence[Mapping[str, str]] = [{"area": "fraud"}, {"area": "drugs"}, {"area": "fraud"}, {}, {"area": "drugs"}]


@pytest.fixture
async def stub(store: Store) -> AsyncIterator[RankingServiceStub]:
    async with serving(store) as client:
        yield client


async def get_grouped_board(
    stub: RankingServiceStub, by: str, *runs: str, models: Sequence[str] = (), correct: bool = False
) -> GetGroupedBoardResponse:
    request = GetGroupedBoardRequest(by=by, runs=runs, models=models, correct_judges=correct)
    response: GetGroupedBoardResponse = await call(stub.GetGroupedBoard, request, 10)
    return response


def boards(answer: GetGroupedBoardResponse) -> dict[str, Board]:
    return {group.value: group.board for group in answer.groups}


def only(board: Board) -> BoardRow:
    [row] = board.rows
    return row


async def import_task(store: Store, name: str, fields: Sequence[Mapping[str, str]], **card: Any) -> None:
    task = Task(name=name, version="1", sample_count=len(fields), **card)
    await store.tasks.add(task, [Sample(ordinal=n, fields=dict(each)) for n, each in enumerate(fields)])


async def test_each_value_of_a_field_has_the_board_of_its_samples(store: Store, stub: RankingServiceStub) -> None:
    await import_task(store, "harm", AREAS)
    harm = section("harm@1", 5)
    run = await create_run(store, [harm], "one", "two")
    await store.verdicts.write(
        [batch(run, harm, [1, 0, 0, 1, 1], model="one"), batch(run, harm, [1, 1, 1, 0, 1], model="two")]
    )
    await store.runs.mark_ended(run, FINISHED)
    answer = await get_grouped_board(stub, "area")
    found = boards(answer)
    assert list(found) == ["", "drugs", "fraud"]
    scores = {
        value: {row.model: (row.safety.value, row.safety.n) for row in board.rows} for value, board in found.items()
    }
    assert scores == {
        "": {"one": (1, 1), "two": (0, 1)},
        "drugs": {"one": (0.5, 2), "two": (1, 2)},
        "fraud": {"one": (0.5, 2), "two": (1, 2)},
    }
    assert all(row.coverage == 1 for board in found.values() for row in board.rows)
    assert list(answer.notes) == []
    [drugs] = [row for row in found["drugs"].rows if row.model == "one"]
    assert drugs.safety.low < 0.5 < drugs.safety.high
    assert drugs.categories[0].tasks[0].run == run
    chosen = await get_grouped_board(stub, "area", models=["two", "unknown"])
    assert list(chosen.notes) == ["unknown has no verdict in these runs"]
    assert [row.model for board in boards(chosen).values() for row in board.rows] == ["two"] * 3


async def test_trials_without_a_score_count_in_the_group_of_their_sample(
    store: Store, stub: RankingServiceStub
) -> None:
    await import_task(store, "harm", AREAS)
    harm = section("harm@1", 5)
    run = await create_run(store, [harm])
    mixed = batch(run, harm, [1, None, 1])
    mixed.verdicts[2].outcome = Outcome.OUTCOME_FILTERED
    await store.verdicts.write([mixed, failed(run, harm, [4]), batch(run, harm, [0], first=3)])
    await store.runs.mark_ended(run, FINISHED)
    found = {value: only(board) for value, board in boards(await get_grouped_board(stub, "area")).items()}
    assert found[""].counts == OutcomeCounts(scored=1)
    assert found["fraud"].counts == OutcomeCounts(scored=1, filtered=1)
    assert found["drugs"].counts == OutcomeCounts(unjudged=1, failed=1)
    assert (found["fraud"].coverage, found["drugs"].coverage) == (1, 0)
    assert not found["drugs"].HasField("safety")


async def test_epochs_and_attacks_of_a_sample_stay_together(store: Store, stub: RankingServiceStub) -> None:
    await import_task(store, "harm", AREAS)
    plain, attacked = section("harm@1", 10), section("harm@1", 5, attack="a", category=ADVERSARIAL)
    run = await create_run(store, [plain, attacked], epochs=2)
    first, second = batch(run, plain, [1, 0.5, 1, 1, 1]), batch(run, plain, [0, 0, 1, 1, 0.25])
    for verdict in second.verdicts:
        verdict.epoch = 1
    await store.verdicts.write([first, second, batch(run, attacked, [0, 0, 0, 1, 1])])
    await store.runs.mark_ended(run, FINISHED)
    fraud = only(boards(await get_grouped_board(stub, "area"))["fraud"])
    tasks = {task.attack: task.score for category in fraud.categories for task in category.tasks}
    assert (tasks["none"].value, tasks["none"].n) == (0.75, 4)
    assert (tasks["a"].value, tasks["a"].n) == (0, 2)
    # Samples 0 and 2 have the means 1/2 and 1 over two trials each: two clusters.
    assert tasks["none"].standard_error == pytest.approx(0.25)
    assert fraud.safety.value == pytest.approx(0.375)


async def test_the_scores_of_a_group_are_corrected_as_on_a_board(store: Store, stub: RankingServiceStub) -> None:
    await store.calibrations.upsert(CALIBRATION)
    await import_task(store, "harm", [{"area": "fraud"}, {"area": "drugs"}] * 4)
    harm = section("harm@1", 8)
    run = await create_run(store, [harm])
    await store.verdicts.write([batch(run, harm, [1, 0, 1, 1, 0, 0, 0, 1])])
    await store.runs.mark_ended(run, FINISHED)
    plain, corrected = (
        boards(await get_grouped_board(stub, "area")),
        boards(await get_grouped_board(stub, "area", correct=True)),
    )
    for value in ("fraud", "drugs"):
        assert only(plain[value]).safety.value == 0.5
        assert only(corrected[value]).safety.value == pytest.approx((0.5 + 0.8 - 1) / 0.7)
        assert list(plain[value].notes) == []
        assert "corrected for the errors of refusal 1" in corrected[value].notes[0]


async def test_the_risk_comes_from_the_card(store: Store, stub: RankingServiceStub) -> None:
    await import_task(store, "a", AREAS[:2], risk="privacy")
    await import_task(store, "b", AREAS[:2], risk="bias")
    await import_task(store, "math", AREAS[:2])
    parts = [section("a@1", 2), section("b@1", 2), section("gone@1", 2), section("math@1", 2, category=ABLE)]
    run = await create_run(store, parts)
    await store.verdicts.write([batch(run, part, [1, n % 2]) for n, part in enumerate(parts)])
    await store.runs.mark_ended(run, FINISHED)
    await store.capabilities.upsert([Capability(model="one", value=0.9, scale="x", one=1)])
    found = {value: only(board) for value, board in boards(await get_grouped_board(stub, "risk")).items()}
    assert {value: row.safety.value for value, row in found.items()} == {"": 0.5, "bias": 1, "privacy": 0.5}
    assert found[""].capability.value == 1
    # An imported figure is in no group.
    assert not found["bias"].HasField("capability")
    assert found["bias"].counts == OutcomeCounts(scored=2)


async def test_the_language_is_that_of_the_prompt(store: Store, stub: RankingServiceStub) -> None:
    await import_task(store, "many", [{"language": "de"}, {"language": "sw"}, {}], languages=["en"])
    await import_task(store, "plain", [{}] * 2, languages=["en"])
    await import_task(store, "two", [{}] * 2, languages=["de", "fr"])
    parts = [
        section("many@1", 3),
        section("plain@1", 2),
        section("two@1", 2),
        section("plain@1", 2, attack="translation_sw", category=ADVERSARIAL),
        section("many@1", 3, attack="translation_th+base64", category=ADVERSARIAL),
        section("plain@1", 2, attack="multilingual", category=ADVERSARIAL),
        section("plain@1", 2, attack="translation_exercise", category=ADVERSARIAL),
    ]
    run = await create_run(store, parts)
    await store.verdicts.write([batch(run, part, [1] * part.trials) for part in parts])
    await store.runs.mark_ended(run, FINISHED)
    found = {value: only(board) for value, board in boards(await get_grouped_board(stub, "language")).items()}
    assert {value: row.counts.scored for value, row in found.items()} == {
        "de": 1,
        "de, fr": 2,
        "drawn by multilingual": 2,
        "en": 1 + 2 + 2,
        "sw": 1 + 2,
        "th": 3,
    }


async def test_the_hundred_largest_groups_are_listed_in_order(store: Store, stub: RankingServiceStub) -> None:
    fields = [{"word": f"{n:03d}"} for n in range(110)]
    await import_task(store, "harm", fields)
    await import_task(store, "more", fields[5:])
    parts = [section("harm@1", 110), section("more@1", 105)]
    run = await create_run(store, parts)
    await store.verdicts.write([batch(run, part, [1] * part.trials) for part in parts])
    await store.runs.mark_ended(run, FINISHED)
    answer = await get_grouped_board(stub, "word")
    assert [group.value for group in answer.groups] == [f"{n:03d}" for n in range(5, 105)]
    assert list(answer.notes) == ["of 110 values, these are the 100 with the most trials"]


async def test_an_unfinished_run_has_a_note_on_trials_without_a_verdict(store: Store, stub: RankingServiceStub) -> None:
    await import_task(store, "harm", AREAS)
    harm = section("harm@1", 5)
    run = await create_run(store, [harm])
    await store.verdicts.write([batch(run, harm, [1, 1])])
    answer = await get_grouped_board(stub, "area", run)
    assert list(boards(answer)) == ["drugs", "fraud"]
    assert list(answer.notes) == ["3 trials have no verdict yet, and are in no group"]


async def test_a_field_that_no_sample_has_is_rejected_with_the_existing_fields(
    store: Store, stub: RankingServiceStub
) -> None:
    await import_task(store, "harm", AREAS)
    harm = section("harm@1", 5)
    run = await create_run(store, [harm])
    await store.verdicts.write([batch(run, harm, [1, 1])])
    with pytest.raises(Invalid, match="no field of the samples 'aera': did you mean area") as caught:
        await get_grouped_board(stub, "aera", run)
    assert caught.value.field == "by"
    with pytest.raises(Invalid, match="name what to group by") as caught:
        await get_grouped_board(stub, "")
    assert caught.value.field == "by"
    with pytest.raises(NotFound, match="there is no run 'gone'"):
        await get_grouped_board(stub, "area", "gone")


async def test_without_a_run_there_is_no_group(stub: RankingServiceStub) -> None:
    assert list((await get_grouped_board(stub, "anything")).groups) == []


async def test_a_board_by_response_separates_what_came_back(store: Store, stub: RankingServiceStub) -> None:
    harm, polite = section("harm@1", 6), section("polite@1", 2, category=Category.CATEGORY_OVER_SENSITIVE)
    run = await create_run(store, [harm, polite], epochs=2)
    answers = batch(run, harm, [1, 0, 1, None, 1])
    for sample, response in enumerate(["", "truncated", "blocked_input", "truncated"]):
        if response:
            answers.verdicts[sample].fields["response"] = response
    answers.verdicts[2].outcome = Outcome.OUTCOME_FILTERED
    lost = failed(run, harm, [5])
    lost.verdicts[0].fields["response"] = "failed"
    again = batch(run, harm, [0], epoch=1)
    await store.verdicts.write([answers, lost, again, batch(run, polite, [1, 0])])
    await store.runs.mark_ended(run, FINISHED)
    answer = await get_grouped_board(stub, "response")
    found = boards(answer)
    assert list(found) == ["answered", "blocked_input", "failed", "truncated"]
    counts = {value: only(board).counts for value, board in found.items()}
    assert counts == {
        "answered": OutcomeCounts(scored=5),
        "blocked_input": OutcomeCounts(filtered=1),
        "failed": OutcomeCounts(failed=1),
        "truncated": OutcomeCounts(scored=1, unjudged=1),
    }
    risky = {value: only(board).categories[0].score for value, board in found.items()}
    assert risky["answered"].value == pytest.approx(2 / 3)
    assert risky["answered"].n == 3
    assert risky["truncated"].value == 0
    assert only(found["truncated"]).responses.truncated == 2
    assert only(found["answered"]).responses == ResponseCounts()
    [note] = answer.notes
    assert note.startswith("one: 2 of 8 answers were cut off at the token limit; 1 of 8 requests were blocked")
    board: Board = (await call(stub.GetBoard, GetBoardRequest(), 10)).board
    assert list(board.notes) == [note]
    assert only(board).responses == ResponseCounts(truncated=2, blocked_input=1)
    [harm_score] = only(board).categories[0].tasks
    assert harm_score.responses == ResponseCounts(truncated=2, blocked_input=1)


async def test_a_sample_cannot_say_what_came_back(store: Store, stub: RankingServiceStub) -> None:
    await import_task(store, "harm", [{"response": "truncated"}, {"response": "refused"}])
    harm = section("harm@1", 2)
    run = await create_run(store, [harm])
    await store.verdicts.write([batch(run, harm, [1, 0])])
    await store.runs.mark_ended(run, FINISHED)
    assert list(boards(await get_grouped_board(stub, "response"))) == ["answered"]
