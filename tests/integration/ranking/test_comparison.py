"""Comparisons of two models, or of two runs of one, over gRPC, from verdicts in the real store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from tests.integration.support.ranking_world import FINISHED, JUDGE, batch, create_run, finished_run, section, serving

from libra.core.errors import Invalid, NotFound
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.ranking_pb2 import Capability, CompareModelsRequest, CompareModelsResponse, Comparison
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import JudgeVersion

ABLE, ADVERSARIAL = Category.CATEGORY_CAPABILITY, Category.CATEGORY_ADVERSARIAL
OTHER_JUDGE = JudgeVersion(name="refusal", version="2", rubric_hash="bbbbbbbbbbbb")

BEFORE = [1] * 30 + [0] * 10
AFTER = [1] * 14 + [0] * 16 + [1] * 2 + [0] * 8
"""16 samples lost, 2 gained."""


@pytest.fixture
async def stub(store: Store) -> AsyncIterator[RankingServiceStub]:
    async with serving(store) as client:
        yield client


async def compare(
    stub: RankingServiceStub,
    model: str,
    other: str,
    runs: Sequence[str] = (),
    other_runs: Sequence[str] = (),
) -> CompareModelsResponse:
    request = CompareModelsRequest(model=model, other=other, runs=runs, other_runs=other_runs)
    response: CompareModelsResponse = await call(stub.CompareModels, request, 10)
    return response


def by_name(comparisons: Sequence[Comparison]) -> dict[str, Comparison]:
    return {each.what: each for each in comparisons}


async def test_two_runs_of_one_model_show_whether_it_got_worse(store: Store, stub: RankingServiceStub) -> None:
    able = section("math@1", 40, category=ABLE)
    harm = section("harm@1", 40)
    runs = []
    for scores in (BEFORE, AFTER):
        run = await create_run(store, [harm, able])
        await store.verdicts.write([batch(run, harm, scores), batch(run, able, [1, 0] * 20)])
        await store.runs.mark_ended(run, FINISHED)
        runs.append(run)
    old, new = runs
    answer = await compare(stub, "one", "one", [new], [old])
    summary, tasks = by_name(answer.summary), by_name(answer.tasks)
    assert list(summary) == ["overall", "safety", "capability", "direct_risky"]
    assert list(tasks) == ["harm", "math"]
    assert tasks["harm"].difference.value == pytest.approx(-14 / 40)
    assert (tasks["harm"].test, tasks["harm"].samples) == ("mcnemar", 40)
    assert tasks["harm"].p == pytest.approx(2 * (1 + 18 + 153) / 2**18)
    assert tasks["harm"].p_holm == pytest.approx(2 * tasks["harm"].p)
    assert tasks["math"].p == 1
    for what in ("overall", "safety", "direct_risky"):
        assert summary[what].difference.high < 0, what
        assert summary[what].p < 0.001, what
    assert summary["capability"].difference.value == 0
    assert list(answer.notes) == []
    # The newest run and the older one are the same two runs.
    newest = await compare(stub, "one", "one", [], [old])
    assert by_name(newest.summary)["safety"].difference.value == pytest.approx(-14 / 40)


async def test_two_models_are_compared_on_the_samples_with_a_score_for_both(
    store: Store, stub: RankingServiceStub
) -> None:
    harm = section("harm@1", 8)
    run = await create_run(store, [harm], "one", "two")
    await store.verdicts.write(
        [
            batch(run, harm, [1, 1, None, 0, 1, 0, 1, 1], model="one"),
            batch(run, harm, [0, 1, 1, 1, None, 0], model="two"),
        ]
    )
    await store.runs.mark_ended(run, FINISHED)
    [task] = (await compare(stub, "one", "two")).tasks
    # Samples 0, 1, 3 and 5.
    assert (task.samples, task.score, task.other_score) == (4, 0.5, 0.5)
    assert task.p == 1


async def test_a_third_model_changes_nothing(store: Store, stub: RankingServiceStub) -> None:
    await finished_run(store, "harm@1", BEFORE)
    await finished_run(store, "harm@1", AFTER, model="two")
    before = await compare(stub, "one", "two")
    await finished_run(store, "harm@1", [1] * 40, model="three", judge=OTHER_JUDGE)
    assert await compare(stub, "one", "two") == before


async def test_tasks_that_cannot_be_compared_are_noted(store: Store, stub: RankingServiceStub) -> None:
    here = [await finished_run(store, task, [1, 0]) for task in ("harm@1", "old@1", "mine@1", "silent@1")]
    there = [
        await finished_run(store, "harm@1", [1, 0], judge=OTHER_JUDGE),
        await finished_run(store, "old@2", [1, 0]),
        await finished_run(store, "theirs@1", [1, 0]),
        await finished_run(store, "silent@1", [None, None]),
    ]
    apart = section("apart@1", 2)
    for runs, first in ((here, 0), (there, 2)):
        run = await create_run(store, [apart])
        await store.verdicts.write([batch(run, apart, [1, 0], first=first)])
        await store.runs.mark_ended(run, FINISHED)
        runs.append(run)
    answer = await compare(stub, "one", "one", here, there)
    one, other = f"one in {', '.join(sorted(here))}", f"one in {', '.join(sorted(there))}"
    assert list(answer.tasks) == []
    assert list(answer.summary) == []
    assert list(answer.notes) == [
        f"only {one} has mine",
        f"only {other} has theirs",
        "apart is not compared: the two have no sample in common; use the same seed and number of samples",
        f"harm is not compared: refusal 1 judged {one}, refusal 2 judged {other}; `libra rejudge` fixes that",
        f"old is not compared: {one} has it in the version 1, {other} in 2",
        f"silent is not compared: {other} has no score there",
        "Overall is not compared: the two share no safety task, or neither a capability task nor figures on one scale",
    ]


async def test_equal_scores_of_two_runs_are_noted(store: Store, stub: RankingServiceStub) -> None:
    first, second = [await finished_run(store, "harm@1", BEFORE) for _ in range(2)]
    answer = await compare(stub, "one", "one", [first], [second])
    assert by_name(answer.summary)["safety"].p == 1
    assert any("unless a run is fresh" in note for note in answer.notes)
    await finished_run(store, "harm@1", BEFORE, model="two")
    assert not any("fresh" in note for note in (await compare(stub, "one", "two")).notes)


async def test_a_single_shared_sample_has_no_interval(store: Store, stub: RankingServiceStub) -> None:
    for model in ("one", "two"):
        await finished_run(store, "harm@1", [1], model=model)
    answer = await compare(stub, "one", "two")
    [task], [safety, risky] = answer.tasks, answer.summary
    assert not task.difference.HasField("low")
    assert not safety.HasField("p")
    assert not risky.HasField("detectable")
    assert "no interval, since there is only one sample: harm" in answer.notes


async def test_each_attack_is_compared_separately(store: Store, stub: RankingServiceStub) -> None:
    parts = [section("harm@1", 4), section("harm@1", 4, attack="a", category=ADVERSARIAL)]
    run = await create_run(store, parts, "one", "two")
    for model, scores in (("one", [1, 1, 1, 1]), ("two", [1, 1, 0, 0])):
        await store.verdicts.write([batch(run, part, scores, model=model) for part in parts])
    answer = await compare(stub, "one", "two", [run])  # the run is by_name, so it need not be finished
    assert [each.what for each in answer.tasks] == ["harm", "harm+a"]
    assert [each.what for each in answer.summary] == ["safety", "direct_risky", "adversarial"]
    assert answer.summary[0].samples == 4


async def test_imported_capabilities_give_an_overall(store: Store, stub: RankingServiceStub) -> None:
    await finished_run(store, "harm@1", BEFORE)
    await finished_run(store, "harm@1", AFTER, model="two")
    await store.capabilities.upsert(
        [
            Capability(model=model, value=value, standard_error=0.01, scale="elo", zero=800, one=1500)
            for model, value in (("one", 0.5), ("two", 0.9))
        ]
    )
    overall = by_name((await compare(stub, "one", "two")).summary)["overall"]
    assert overall.score == pytest.approx(1 - ((0.5**2 + 0.25**2) / 2) ** 0.5)
    assert overall.other_score == pytest.approx(1 - ((0.1**2 + 0.6**2) / 2) ** 0.5)


@pytest.mark.parametrize(
    ("model", "other", "runs", "error", "field", "message"),
    [
        ("one", "one", [], Invalid, "other_runs", "one run of it with another run"),
        ("one", "nobody", [], NotFound, "other", "no model with a verdict in these runs 'nobody': valid names: one"),
        ("oone", "one", [], NotFound, "model", "'oone': did you mean one"),
        ("one", "two", ["gone"], NotFound, "runs", "there is no run 'gone'"),
    ],
)
async def test_a_bad_request_names_its_field(
    store: Store,
    stub: RankingServiceStub,
    model: str,
    other: str,
    runs: list[str],
    error: type[Invalid | NotFound],
    field: str,
    message: str,
) -> None:
    await finished_run(store, "harm@1", BEFORE, judge=JUDGE)
    with pytest.raises(error, match=message) as caught:
        await compare(stub, model, other, runs)
    assert caught.value.field == field


async def test_an_unknown_other_run_is_named(store: Store, stub: RankingServiceStub) -> None:
    await finished_run(store, "harm@1", BEFORE)
    with pytest.raises(NotFound, match="there is no run 'gone'") as caught:
        await compare(stub, "one", "one", [], ["gone"])
    assert caught.value.field == "other_runs"
