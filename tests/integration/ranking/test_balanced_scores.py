"""Scores that are balanced over gold labels: on boards, by group, in comparisons, attack reports and audits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from tests.integration.support.ranking_world import CALIBRATION, FINISHED, batch, create_run, section, serving

from libra.core.gold_labels import GOLD_LABEL_FIELD
from libra.rpc.client import call
from libra.store.client import Store
from libra.store.runs import RunSection
from libra.v1.batch_pb2 import VerdictBatch
from libra.v1.ranking_pb2 import (
    AuditRunRequest,
    Board,
    CompareModelsRequest,
    GetBoardRequest,
    GetGroupedBoardRequest,
    ReportAttacksRequest,
    TaskScore,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.task_pb2 import Category, Sample, Task
from libra.v1.verdict_pb2 import Outcome

LABELS = ("yes",) * 8 + ("no",) * 4
ETHICS = section("ethics@1", len(LABELS))
ATTACKED = section("ethics@1", len(LABELS), attack="few_shots", category=Category.CATEGORY_ADVERSARIAL)
ALWAYS_YES = [1.0] * 8 + [0.0] * 4
MOSTLY_RIGHT = [1.0] * 6 + [0.0] * 2 + [1.0] * 3 + [0.0]


@pytest.fixture
async def stub(store: Store) -> AsyncIterator[RankingServiceStub]:
    task = Task(
        name="ethics", version="1", sample_count=len(LABELS), balanced_by="immoral", caveat="The scenes are short."
    )
    samples = [Sample(ordinal=n, fields={"immoral": label, "half": str(n % 2)}) for n, label in enumerate(LABELS)]
    await store.tasks.add(task, samples)
    async with serving(store) as client:
        yield client


def labelled(run: str, scores: Sequence[float], *, model: str, part: RunSection = ETHICS) -> VerdictBatch:
    made = batch(run, part, scores, model=model)
    made.header.balanced_by = "immoral"
    for verdict in made.verdicts:
        verdict.fields[GOLD_LABEL_FIELD] = LABELS[verdict.sample]
    return made


async def finished(store: Store, *batches_of: tuple[str, Sequence[float]]) -> str:
    run = await create_run(store, [ETHICS], *(model for model, _ in batches_of))
    await store.verdicts.write([labelled(run, scores, model=model) for model, scores in batches_of])
    await store.runs.mark_ended(run, FINISHED)
    return run


def task_scores(board: Board) -> dict[str, TaskScore]:
    return {row.model: row.categories[0].tasks[0] for row in board.rows}


async def test_a_board_shows_the_mean_over_the_gold_labels(store: Store, stub: RankingServiceStub) -> None:
    await finished(store, ("one", ALWAYS_YES), ("two", MOSTLY_RIGHT))
    board = (await call(stub.GetBoard, GetBoardRequest(), 10)).board
    found = task_scores(board)
    assert found["one"].score.value == pytest.approx(0.5)
    assert found["two"].score.value == pytest.approx(0.75)
    labels = [(each.label, each.value, each.n) for each in found["two"].gold_labels]
    assert labels == [("no", 0.75, 4), ("yes", 0.75, 8)]
    stratified = (0.75 * 0.25 * 8 / 7 / 8 + 0.75 * 0.25 * 4 / 3 / 4) / 4
    assert found["two"].score.standard_error == pytest.approx(stratified**0.5)
    assert "ethics: The scenes are short." in board.notes
    assert not any("gold label" in note for note in board.notes)


async def test_verdicts_of_an_earlier_version_give_the_plain_mean_with_a_note(
    store: Store, stub: RankingServiceStub
) -> None:
    run = await create_run(store, [ETHICS])
    await store.verdicts.write([batch(run, ETHICS, ALWAYS_YES)])
    await store.runs.mark_ended(run, FINISHED)
    board = (await call(stub.GetBoard, GetBoardRequest(), 10)).board
    assert task_scores(board)["one"].score.value == pytest.approx(8 / 12)
    assert list(task_scores(board)["one"].gold_labels) == []
    [note] = [note for note in board.notes if "gold labels" in note]
    assert note.endswith("`libra rejudge` adds them): ethics")
    audit = await call(stub.AuditRun, AuditRunRequest(run=run), 10)
    assert not [finding for finding in audit.findings if "sums" in finding.law]


async def test_groups_of_samples_are_balanced_too(store: Store, stub: RankingServiceStub) -> None:
    await finished(store, ("one", ALWAYS_YES))
    answer = await call(stub.GetGroupedBoard, GetGroupedBoardRequest(by="half"), 10)
    values = {group.value: task_scores(group.board)["one"].score.value for group in answer.groups}
    assert values == {"0": pytest.approx(0.5), "1": pytest.approx(0.5)}
    by_label = await call(stub.GetGroupedBoard, GetGroupedBoardRequest(by="immoral"), 10)
    values = {group.value: task_scores(group.board)["one"].score.value for group in by_label.groups}
    assert values == {"no": 0, "yes": 1}
    by_response = await call(stub.GetGroupedBoard, GetGroupedBoardRequest(by="response"), 10)
    assert task_scores(by_response.groups[0].board)["one"].score.value == pytest.approx(0.5)
    assert "ethics: The scenes are short." in answer.notes


async def test_a_comparison_is_balanced(store: Store, stub: RankingServiceStub) -> None:
    await finished(store, ("one", ALWAYS_YES), ("two", MOSTLY_RIGHT))
    answer = await call(stub.CompareModels, CompareModelsRequest(model="one", other="two"), 10)
    [task] = answer.tasks
    assert (task.score, task.other_score) == (pytest.approx(0.5), pytest.approx(0.75))
    assert task.test == "permutation"
    [safety] = [each for each in answer.summary if each.what == "safety"]
    assert safety.difference.value == pytest.approx(-0.25)


async def test_an_attack_report_is_balanced(store: Store, stub: RankingServiceStub) -> None:
    run = await create_run(store, [ETHICS, ATTACKED])
    await store.verdicts.write(
        [labelled(run, MOSTLY_RIGHT, model="one"), labelled(run, ALWAYS_YES, model="one", part=ATTACKED)]
    )
    await store.runs.mark_ended(run, FINISHED)
    answer = await call(stub.ReportAttacks, ReportAttacksRequest(run=run), 10)
    plain, attacked = answer.reports
    assert (plain.success.value, attacked.success.value) == (pytest.approx(0.25), pytest.approx(0.5))
    assert attacked.gain.value == pytest.approx(0.25)


async def test_an_audit_counts_the_sums_by_gold_label_again(store: Store, stub: RankingServiceStub) -> None:
    run = await finished(store, ("one", MOSTLY_RIGHT))
    law = "the cells equal the sums over the verdicts"
    audit = await call(stub.AuditRun, AuditRunRequest(run=run), 10)
    assert law not in {finding.law for finding in audit.findings}
    await store._database["cells"].update_one({"run": run}, {"$inc": {"labels.yes.sum": -1.0, "labels.no.sum": 1.0}})
    audit = await call(stub.AuditRun, AuditRunRequest(run=run), 10)
    [finding] = [finding for finding in audit.findings if finding.law == law]
    assert "yes: 8 with sum 5 stored" in finding.concerned[0]
    assert "yes: 8 with sum 6 in the verdicts" in finding.concerned[0]


async def test_the_correction_leaves_filtered_answers_as_they_are(store: Store, stub: RankingServiceStub) -> None:
    """The judge was right on 90 of 100 positive and on 80 of 100 negative answers."""
    await store.calibrations.upsert(CALIBRATION)
    part = section("harm@1", 100)
    run = await create_run(store, [part])
    made = batch(run, part, [1.0] * 92 + [0.0] * 8)
    for verdict in made.verdicts[:80]:
        verdict.outcome = Outcome.OUTCOME_FILTERED
    await store.verdicts.write([made])
    await store.runs.mark_ended(run, FINISHED)
    board = (await call(stub.GetBoard, GetBoardRequest(correct_judges=True), 10)).board
    found = task_scores(board)["one"]
    expected = 0.8 + 0.2 * (0.6 - 0.2) / 0.7
    assert found.corrected.value == pytest.approx(expected)
    assert board.rows[0].safety.value == pytest.approx(expected)
