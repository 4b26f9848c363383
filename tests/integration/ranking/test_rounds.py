"""Boards, lists of verdicts and reports of rounds, over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from tests.integration.support.ranking_world import JUDGE, finished_run, import_task, serving, store_completions

from libra.commitment.commitment import TaskDraw
from libra.commitment.samples import content_hash
from libra.core.errors import Invalid, NotFound
from libra.core.sealed.auditor_key import hash_key
from libra.rpc.client import call
from libra.store.client import Store
from libra.store.rounds.round_samples import RoundSample
from libra.store.rounds.rounds import RoundRecord
from libra.v1.message_pb2 import Message
from libra.v1.ranking_pb2 import (
    CompareModelsRequest,
    CompareModelsResponse,
    CompareSamplesRequest,
    GetBoardRequest,
    GetGroupedBoardRequest,
    ListVerdictsRequest,
    ReportContaminationRequest,
    ReportContaminationResponse,
    ReportStabilityRequest,
    ReportStabilityResponse,
    VerdictView,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.task_pb2 import Sample, Task
from libra.v1.verdict_pb2 import JudgeVersion

SECONDS = 20.0
KEY = "libra-auditor-of-a-test"
FULL = VerdictView.VERDICT_VIEW_FULL


@pytest.fixture
async def ranking(store: Store) -> AsyncIterator[RankingServiceStub]:
    async with serving(store) as stub:
        yield stub


async def add_round(store: Store, name: str, contents: Sequence[int], *, anchors: int = 0, follows: str = "") -> None:
    """Open a round of the task math: the samples with these texts, of which the first are anchors."""
    texts = [
        Sample(ordinal=n, id=str(text), messages=[Message(role="user", content=f"{text}?")], fields={"a": "x"})
        for n, text in enumerate(contents)
    ]
    draw = TaskDraw("math", "math@0", len(texts), anchors, [[0, 999]], 2)
    record = RoundRecord(name, b"seed", key_hash=hash_key(KEY), tasks=(draw,), samples=len(texts), follows=follows)
    await store.round_samples.add(
        [
            RoundSample(
                round=name,
                index=text.ordinal,
                task="math",
                ordinal=text.ordinal,
                salt=b"",
                leaf=b"",
                content=content_hash(text),
                source="math@0",
                source_ordinal=text.ordinal,
                anchor=text.ordinal < anchors,
                reserved=False,
            )
            for text in texts
        ]
    )
    await store.tasks.add(Task(name="math", version=name, round=name, sample_count=len(texts)), texts)
    await store.rounds.publish(await store.rounds.reserve(record), b"{}")


async def close_round(store: Store, name: str, *, sealed: int = 0) -> None:
    """Close a round and publish its samples but the last."""
    samples = await store.round_samples.list(name)
    await store.rounds.close(name, release_anchors=False)
    await store.round_samples.mark_released([each.content for each in samples[: len(samples) - sealed]])


async def test_a_board_has_the_runs_of_its_round_or_those_of_none(store: Store, ranking: RankingServiceStub) -> None:
    await import_task(store, "math@0", 4)
    await finished_run(store, "math@0", [1, 1, 1, 0])
    await add_round(store, "2027Q1", range(4))
    await finished_run(store, "math@2027Q1", [1, 0, 0, 0], round_name="2027Q1")
    await add_round(store, "2027Q2", range(10, 14))
    await finished_run(store, "math@2027Q2", [1, 1, 0, 0], round_name="2027Q2")

    async def score(**fields: Any) -> float:
        board = (await call(ranking.GetBoard, GetBoardRequest(**fields), SECONDS)).board
        ((category,),) = ([*row.categories] for row in board.rows)
        return float(category.tasks[0].score.value)

    for _ in range(2):  # from the cache the second time
        assert [await score(round=name) for name in ("", "2027Q1", "2027Q2")] == [0.75, 0.25, 0.5]
    with pytest.raises(NotFound, match="did you mean 2027Q"):
        await call(ranking.GetBoard, GetBoardRequest(round="2027Q9"), SECONDS)
    with pytest.raises(Invalid, match="that of a round or that of named runs"):
        await call(ranking.GetBoard, GetBoardRequest(round="2027Q1", runs=["x"]), SECONDS)
    with pytest.raises(Invalid, match="are sealed or lack the field 'a'"):
        await call(ranking.GetGroupedBoard, GetGroupedBoardRequest(round="2027Q1", by="a"), SECONDS)


async def test_a_comparison_has_the_runs_of_its_round_or_those_of_none(
    store: Store, ranking: RankingServiceStub
) -> None:
    await import_task(store, "math@0", 4)
    await add_round(store, "2027Q1", range(4))
    scores = {"": {"one": [1, 1, 1, 0], "two": [1, 1, 1, 1]}, "2027Q1": {"one": [1, 0, 0, 0], "two": [0, 0, 0, 0]}}
    for round_name, by_model in scores.items():
        for model, made in by_model.items():
            await finished_run(store, f"math@{round_name or 0}", made, model=model, round_name=round_name)

    async def compare(**fields: object) -> CompareModelsResponse:
        request = CompareModelsRequest(**({"model": "one", "other": "two"} | fields))  # type: ignore[arg-type]
        found: CompareModelsResponse = await call(ranking.CompareModels, request, SECONDS)
        return found

    for round_name, difference in (("", -0.25), ("2027Q1", 0.25)):
        [task] = (await compare(round=round_name)).tasks
        assert (task.what, task.samples, task.difference.value) == ("math", 4, difference)
    request = CompareSamplesRequest(comparison=CompareModelsRequest(model="one", other="two", round="2027Q1"))
    samples = (await call(ranking.CompareSamples, request, SECONDS)).samples
    assert {sample.verdict.task for sample in samples} == {"math@2027Q1"}
    assert all(sample.verdict.sealed for sample in samples)
    with pytest.raises(NotFound, match="did you mean 2027Q1"):
        await compare(round="2027Q9")
    for field in ("runs", "other_runs"):
        with pytest.raises(Invalid, match="a comparison is that of a round or that of named runs"):
            await compare(round="2027Q1", **{field: ["x"]})
    with pytest.raises(NotFound, match="model with a verdict in the round 2027Q1"):
        await compare(round="2027Q1", other="three")
    await add_round(store, "2027Q2", range(10, 14))
    with pytest.raises(NotFound, match="no finished run of the round 2027Q2 has a verdict yet"):
        await compare(round="2027Q2")


async def test_verdicts_on_sealed_samples_are_shown_in_full_to_the_auditor_alone(
    store: Store, ranking: RankingServiceStub
) -> None:
    await add_round(store, "2027Q1", range(4))
    run = await finished_run(store, "math@2027Q1", [1, 0, None, 1], round_name="2027Q1")
    await store_completions(store, "one", range(4))
    request = ListVerdictsRequest(run=run, view=FULL)
    verdicts = (await call(ranking.ListVerdicts, request, SECONDS)).verdicts
    assert [verdict.score for verdict in verdicts] == [1, 0, 0, 1]
    assert all(verdict.sealed and not verdict.completion_id and not verdict.messages for verdict in verdicts)
    request.auditor_key = "libra-auditor-of-somebody-else"
    with pytest.raises(Invalid, match="not the auditor's key of the round 2027Q1"):
        await call(ranking.ListVerdicts, request, SECONDS)
    assert await store.sealed_looks.list("2027Q1", limit=9) == []

    request.auditor_key = KEY
    verdicts = (await call(ranking.ListVerdicts, request, SECONDS)).verdicts
    assert [verdict.completion.text for verdict in verdicts] == [f"No. ({n})" for n in range(4)]
    assert not any(verdict.sealed for verdict in verdicts)
    ((_, look),) = await store.sealed_looks.list("2027Q1", limit=9)
    assert (look.subject, look.count) == (f"verdicts of the run {run} in full", 4)
    assert "127.0.0.1" in look.peer

    await close_round(store, "2027Q1", sealed=1)
    request.auditor_key = ""
    verdicts = (await call(ranking.ListVerdicts, request, SECONDS)).verdicts
    assert [verdict.sealed for verdict in verdicts] == [False, False, False, True]
    ordinary = await finished_run(store, "math@2027Q1", [1])
    request = ListVerdictsRequest(run=ordinary, auditor_key=KEY)
    with pytest.raises(Invalid, match="the run belongs to none"):
        await call(ranking.ListVerdicts, request, SECONDS)


async def contamination(ranking: RankingServiceStub, **fields: Any) -> ReportContaminationResponse:
    request = ReportContaminationRequest(round="2027Q2", **fields)
    found: ReportContaminationResponse = await call(ranking.ReportContamination, request, SECONDS)
    return found


async def test_contamination_compares_published_samples_with_fresh_ones(
    store: Store, ranking: RankingServiceStub
) -> None:
    await add_round(store, "2027Q1", range(40))
    await add_round(store, "2027Q2", [*range(4), *range(100, 136)], anchors=4, follows="2027Q1")
    assert "no round before 2027Q2 is closed" in (await contamination(ranking)).notes[0]
    await close_round(store, "2027Q1", sealed=2)
    assert "`libra run create --model MODEL --task math@2027Q1`" in (await contamination(ranking)).notes[0]

    # The anchors, the first 4, and the sealed, the last 2, count on neither side.
    await finished_run(store, "math@2027Q1", [0] * 4 + [1] * 34 + [0] * 2, model="leaking")
    await finished_run(store, "math@2027Q2", [1] * 4 + [0] * 24 + [1] * 12, model="leaking", round_name="2027Q2")
    await finished_run(store, "math@2027Q1", [1, 0] * 20, model="honest")
    await finished_run(store, "math@2027Q2", [0, 1] * 20, model="honest", round_name="2027Q2")
    found = await contamination(ranking)
    assert list(found.released_rounds) == ["2027Q1"]
    honest, leaking = found.gaps
    assert (leaking.model, leaking.released.value, leaking.released.n) == ("leaking", 1, 34)
    assert leaking.fresh.value == pytest.approx(1 / 3)
    assert (leaking.fresh.n, leaking.flagged) == (36, True)
    assert leaking.simultaneous_low < leaking.gap.low < leaking.gap.value
    assert (honest.model, honest.gap.value, honest.flagged) == ("honest", 0, False)
    assert [gap.model for gap in (await contamination(ranking, models=["honest"])).gaps] == ["honest"]

    other = JudgeVersion(name=JUDGE.name, version="99", rubric_hash=JUDGE.rubric_hash)
    await finished_run(store, "math@2027Q2", [1] * 40, model="leaking", round_name="2027Q2", judge=other)
    notes = (await contamination(ranking)).notes
    assert any("scores of another version of the judge are left out" in note for note in notes)
    with pytest.raises(NotFound, match="did you mean 2027Q"):
        await call(ranking.ReportContamination, ReportContaminationRequest(round="2027Q9"), SECONDS)


async def stability(ranking: RankingServiceStub, earlier: str = "2027Q1") -> ReportStabilityResponse:
    request = ReportStabilityRequest(earlier=earlier, later="2027Q2")
    found: ReportStabilityResponse = await call(ranking.ReportStability, request, SECONDS)
    return found


async def test_stability_compares_the_rankings_on_the_anchors_alone(store: Store, ranking: RankingServiceStub) -> None:
    await add_round(store, "2027Q1", range(30))
    await add_round(store, "2027Q2", [*range(29, 9, -1), *range(100, 110)], anchors=20, follows="2027Q1")
    with pytest.raises(Invalid, match="share 0 models"):
        await stability(ranking)
    for model, before, after in (("up", 4, 18), ("down", 14, 4), ("same", 10, 10)):
        # The anchors are the samples 10 to 29 of the first round, in the opposite order.
        scores = [1] * 10 + [1] * before + [0] * (20 - before)
        await finished_run(store, "math@2027Q1", scores, model=model, round_name="2027Q1")
        later = ([1] * after + [0] * (20 - after))[::-1] + [0] * 10
        await finished_run(store, "math@2027Q2", later, model=model, round_name="2027Q2")
    await finished_run(store, "math@2027Q2", [1] * 30, model="new", round_name="2027Q2")
    found = await stability(ranking)
    assert [(each.model, each.earlier_rank, each.later_rank) for each in found.models] == [
        ("up", 3, 1),
        ("same", 2, 2),
        ("down", 1, 3),
    ]
    assert [(each.earlier_score, each.later_score) for each in found.models] == [(0.2, 0.9), (0.5, 0.5), (0.7, 0.2)]
    assert (found.tau.value, found.tau.n) == (-1, 20)
    assert {(each.up, each.down) for each in found.changes if each.real} == {
        ("up", "down"),
        ("up", "same"),
        ("same", "down"),
    }
    assert list(found.notes) == ["left out, since only one of the rounds has them: new"]
    assert await stability(ranking) == found
    for earlier, error in (("2027Q2", Invalid), ("2027Q9", NotFound)):
        with pytest.raises(error):
            await stability(ranking, earlier)
