"""Reports on the success and the cost of attacks over gRPC, from verdicts and completions in the real store."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from statistics import mean, stdev

import pytest
from tests.integration.support.ranking_world import FINISHED, batch, create_run, failed, section, serving
from ulid import ULID

from libra.core.errors import NotFound
from libra.rpc.client import call
from libra.store.client import Store
from libra.store.runs import RunRecord, RunSection
from libra.v1.completion_pb2 import Completion, FinishReason, Usage
from libra.v1.ranking_pb2 import AttackReport, ReportAttacksRequest, ReportAttacksResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import Run, RunSpec, RunState
from libra.v1.task_pb2 import Category

ADVERSARIAL = Category.CATEGORY_ADVERSARIAL


@pytest.fixture
async def stub(store: Store) -> AsyncIterator[RankingServiceStub]:
    async with serving(store) as client:
        yield client


def under(task: str, attack: str, trials: int) -> RunSection:
    """Return a section as dispatch builds it: an attacked task counts as adversarial."""
    return section(task, trials, attack=attack, category=ADVERSARIAL)


async def report(stub: RankingServiceStub, run: str) -> ReportAttacksResponse:
    response: ReportAttacksResponse = await call(stub.ReportAttacks, ReportAttacksRequest(run=run), 10)
    return response


async def write_run(
    store: Store, parts: Sequence[tuple[RunSection, Sequence[float | None], int]], model: str = "one"
) -> str:
    """Write a finished run with these scores, each list from its first sample on, and return its id."""
    run = await create_run(store, [part for part, _, _ in parts], model)
    await store.verdicts.write([batch(run, part, scores, model=model, first=first) for part, scores, first in parts])
    await store.runs.mark_ended(run, FINISHED)
    return run


async def test_an_attack_is_paired_with_the_plain_prompt_on_their_shared_samples(
    store: Store, stub: RankingServiceStub
) -> None:
    plain, attacked = [0, 1, 1, 0, 1, 1, 1, 1, 0, 1], [1, 0, 0, 1, 0, 1, 0, 1]
    # The plain prompt has the samples 0 to 9, the attack 2 to 11 without two: eight, of which six are shared.
    harm, pair = section("harm@1", 10), under("harm@1", "pair", 8)
    run = await write_run(store, [(harm, plain, 0), (pair, attacked[:6], 2), (pair, attacked[6:], 10)])
    first, second = (await report(stub, run)).reports
    assert (first.attack, first.model, first.trials) == ("none", "one", 10)
    assert first.success.value == pytest.approx(0.3)
    assert first.success.standard_error == pytest.approx(stdev(plain) / math.sqrt(10))
    assert not first.HasField("gain")
    assert not first.HasField("p")
    assert second.attack == "pair"
    assert second.success.value == pytest.approx(1 - mean(attacked))
    differences = [before - after for before, after in zip(plain[2:8], attacked[:6], strict=True)]
    assert second.gain.value == pytest.approx(mean(differences))
    assert second.gain.standard_error == pytest.approx(stdev(differences) / math.sqrt(6))
    assert second.gain.n == 12
    assert second.gain.low < second.gain.value < second.gain.high
    assert (second.p < 0.05) == (second.gain.low > 0)


async def test_success_is_the_unweighted_mean_over_risky_tasks(store: Store, stub: RankingServiceStub) -> None:
    run = await write_run(
        store,
        [
            (section("big@1", 8), [1] * 8, 0),
            (section("small@1", 2), [0, 1], 0),
            (section("polite@1", 4, category=Category.CATEGORY_OVER_SENSITIVE), [0] * 4, 0),
            (section("math@1", 4, category=Category.CATEGORY_CAPABILITY), [0] * 4, 0),
            (under("big@1", "pair", 8), [1, 1, 1, 1, 0, 0, 0, 0], 0),
            (under("small@1", "pair", 2), [0, 1], 0),
        ],
    )
    plain, pair = (await report(stub, run)).reports
    assert plain.success.value == pytest.approx(0.25)
    assert plain.trials == 10
    assert pair.success.value == pytest.approx(0.5)
    assert pair.gain.value == pytest.approx(0.25)


async def test_the_most_successful_attack_of_each_model_comes_first(store: Store, stub: RankingServiceStub) -> None:
    harm, weak, strong = section("harm@1", 4), under("harm@1", "a", 4), under("harm@1", "b", 4)
    run = await create_run(store, [harm, weak, strong], "two", "one")
    for model in ("two", "one"):
        await store.verdicts.write(
            [batch(run, part, scores, model=model) for part, scores in ((harm, [1, 1, 1, 0]), (weak, [1, 1, 0, 1]))]
        )
    await store.verdicts.write(
        [batch(run, strong, [0, 0, 1, 0], model="one"), failed(run, strong, range(4), model="two")]
    )
    answer = await report(stub, run)
    labels = [(each.model, each.attack) for each in answer.reports]
    assert labels == [("one", "none"), ("one", "b"), ("one", "a"), ("two", "none"), ("two", "a"), ("two", "b")]
    assert not answer.reports[5].HasField("success")
    assert not answer.reports[5].HasField("gain")
    assert "b: 4 of 8 trials have no score (4 for two)" in answer.notes
    assert "each p is for one attack alone: with 2 attacks, require p < 0.025" in answer.notes
    assert any("the run is not finished: the report is based on the 24 trials" in note for note in answer.notes)


async def test_trials_with_an_unknown_price_are_named(store: Store, stub: RankingServiceStub) -> None:
    await store.completions.insert_or_get(
        Completion(id="one-0", finish_reason=FinishReason.FINISH_REASON_STOP, price_unknown=True)
    )
    harm = section("harm@1", 2)
    run = await create_run(store, [harm])
    await store.verdicts.write([batch(run, harm, [1, 1])])
    await store.runs.mark_ended(run, FINISHED)
    answer = await report(stub, run)
    assert [each.unknown_price for each in answer.reports] == [1]
    assert any("1 of 2 trials have an answer without a known price" in note for note in answer.notes)


async def test_the_costs_of_an_attack_are_summed(store: Store, stub: RankingServiceStub) -> None:
    for sample in range(2):
        usage = Usage(prompt_tokens=100, completion_tokens=10)
        answered = Completion(id=f"one-{sample}", usage=usage, finish_reason=FinishReason.FINISH_REASON_STOP)
        answered.cost_usd, answered.latency_seconds = 0.25, 2.0
        await store.completions.insert_or_get(answered)
    harm, pair = section("harm@1", 2), under("harm@1", "pair", 2)
    polite = section("polite@1", 2, category=Category.CATEGORY_OVER_SENSITIVE)
    run = await create_run(store, [harm, polite, pair])
    attacked = batch(run, pair, [0, 1])
    attacked.verdicts[0].fields.update(
        {"attack_tokens": "1000", "attack_cost_usd": "1.5", "attack_seconds": "7", "attack_form": "model"}
    )
    attacked.verdicts[1].fields["attack_form"] = "rules"
    await store.verdicts.write([batch(run, harm, [1, 1]), batch(run, polite, [1, 1]), attacked])
    await store.runs.mark_ended(run, FINISHED)

    def costs(each: AttackReport) -> tuple[float, ...]:
        return each.trials, each.prompt_tokens, each.completion_tokens, each.cost_usd, each.seconds

    answer = await report(stub, run)
    assert [costs(each) for each in answer.reports] == [(2, 200, 20, 0.5, 4.0), (2, 1200, 20, 2.0, 11.0)]
    assert list(answer.notes) == [
        "pair: 1 of 2 trials were written by rules alone (1 for one)",
        "pair: 1,000 of the prompt tokens are those of the models that wrote for the attack (1,000 for one)",
    ]
    # The rejudging has verdicts without the fields of the attack; its costs are those of the first run.
    spec = RunSpec(models=["one"], tasks=["harm@1"], rejudges=run)
    again = Run(id=str(ULID()), spec=spec, state=RunState.RUN_STATE_RUNNING)
    await store.runs.insert(RunRecord(run=again, sections=[harm, pair]))
    await store.verdicts.write([batch(again.id, harm, [1, 0]), batch(again.id, pair, [0, 0])])
    await store.runs.mark_ended(again.id, FINISHED)
    rejudged = await report(stub, again.id)
    assert [costs(each) for each in rejudged.reports] == [(2, 200, 20, 0.5, 4.0), (2, 1200, 20, 2.0, 11.0)]
    assert [each.success.value for each in rejudged.reports] == [0.5, 1.0]
    assert f"the answers and their costs are those of the run {run}" in rejudged.notes


async def test_a_report_without_a_plain_prompt_or_an_attack_has_a_note(store: Store, stub: RankingServiceStub) -> None:
    run = await write_run(store, [(under("harm@1", "pair", 2), [1, 0], 0)])
    answer = await report(stub, run)
    assert not answer.reports[0].HasField("gain")
    assert list(answer.notes) == ["the run has no plain prompt (the attack none): gains are unknown"]
    run = await write_run(store, [(section("harm@1", 2), [1, 0], 0)])
    assert list((await report(stub, run)).notes) == ["the run has no attack besides the plain prompt"]
    run = await write_run(store, [(section("math@1", 2, category=Category.CATEGORY_CAPABILITY), [1, 0], 0)])
    answer = await report(stub, run)
    assert list(answer.reports) == []
    assert list(answer.notes) == ["the run has no verdict on a task that can be attacked"]


async def test_an_unknown_run_is_named(stub: RankingServiceStub) -> None:
    with pytest.raises(NotFound, match="there is no run 'unknown'") as caught:
        await report(stub, "unknown")
    assert caught.value.field == "run"


async def test_success_within_k_tries_the_worst_case_and_transfer(store: Store, stub: RankingServiceStub) -> None:
    parts = [under("harm@1", attack, 8) for attack in ("a", "b")]
    run = await create_run(store, parts, "one", "two")
    scores = {
        ("one", "a"): [[0, 1], [1, 1], [1, 1], [0, 0]],
        ("one", "b"): [[1, 1], [0, 1], [1, 1], [1, 1]],
        ("two", "a"): [[1, 0], [1, 1], [1, 1], [1, 1]],
        ("two", "b"): [[1, 1], [1, 1], [1, 1], [1, 1]],
    }
    for (model, attack), by_sample in scores.items():
        for epoch in range(2):
            written = batch(run, parts["ab".index(attack)], [both[epoch] for both in by_sample], model=model)
            for verdict in written.verdicts:
                verdict.epoch = epoch
            await store.verdicts.write([written])
    await store.runs.mark_ended(run, FINISHED)
    answer = await report(stub, run)
    tries = {(each.model, each.attack): {at.k: at.success.value for at in each.success_at_k} for each in answer.reports}
    assert tries[("one", "a")] == pytest.approx({1: 0.375, 2: 0.5})
    assert tries[("one", "b")] == pytest.approx({1: 0.125, 2: 0.25})
    worst = {case.model: (list(case.attacks), case.samples, case.success.value) for case in answer.worst_cases}
    assert worst == {"one": (["a", "b"], 4, 0.75), "two": (["a", "b"], 4, 0.25)}
    assert all(case.success.low < case.success.value < case.success.high for case in answer.worst_cases)
    moved = {(each.attack, each.source, each.target): (each.broken, each.share.value) for each in answer.transfers}
    assert moved == {("a", "one", "two"): (2, 0.5), ("a", "two", "one"): (1, 1.0), ("b", "one", "two"): (1, 0.0)}


async def test_trials_that_the_attack_left_unchanged_do_not_count(store: Store, stub: RankingServiceStub) -> None:
    harm, upper = section("harm@1", 6), under("harm@1", "upper", 6)
    run = await create_run(store, [harm, upper])
    attacked = batch(run, upper, [0, 0, 0, 1, 1, 1])
    for verdict in attacked.verdicts[2:]:
        verdict.fields["attack_unchanged"] = "yes"
    attacked.verdicts[0].fields["judged_by"] = "model@2:judge-1"
    attacked.verdicts[1].fields["judged_by"] = "attempt_scorer@1"
    await store.verdicts.write([batch(run, harm, [1, 1, 0, 0, 0, 0]), attacked])
    await store.runs.mark_ended(run, FINISHED)
    answer = await report(stub, run)
    plain, report_on_upper = answer.reports
    assert plain.success.value == pytest.approx(4 / 6)
    assert plain.unchanged == 0
    assert (report_on_upper.success.value, report_on_upper.unchanged, report_on_upper.trials) == (1.0, 4, 6)
    assert report_on_upper.gain.value == pytest.approx(1.0)  # on the two samples that were attacked
    assert "upper: 4 trials do not count, since the attack left their prompts as they were" in answer.notes
    assert "upper: the success of 1 trials was measured by the aim, by attempt_scorer@1" in answer.notes
    assert "upper: the success of 1 trials was measured by the aim, by model@2:judge-1" in answer.notes


async def test_trials_that_nothing_could_measure_are_named_with_the_remedy(
    store: Store, stub: RankingServiceStub
) -> None:
    pair = under("harm@1", "pair", 3)
    run = await create_run(store, [pair])
    attacked = batch(run, pair, [None, None, 1])
    for verdict in attacked.verdicts[:2]:
        verdict.fields["judged_by"] = "nothing"
    await store.verdicts.write([attacked])
    await store.runs.mark_ended(run, FINISHED)
    answer = await report(stub, run)
    assert any("pair: 2 trials are UNJUDGED" in note and "libra rejudge" in note for note in answer.notes)
    assert answer.reports[0].success.value == 0.0


async def test_a_cost_of_which_a_part_is_unknown_is_reported_as_a_lower_limit(
    store: Store, stub: RankingServiceStub
) -> None:
    for sample in range(3):
        answered = Completion(id=f"one-{sample}", usage_unknown=sample == 1, cost_usd=0.25 if sample != 1 else 0)
        await store.completions.insert_or_get(answered)
    harm, pair = section("harm@1", 2), under("harm@1", "pair", 3)
    run = await create_run(store, [harm, pair])
    attacked = batch(run, pair, [0, 1, 1])
    attacked.verdicts[0].fields.update({"attack_tokens": "10", "attack_usage": "unknown"})
    await store.verdicts.write([batch(run, harm, [1, 1]), attacked])
    await store.runs.mark_ended(run, FINISHED)
    answer = await report(stub, run)
    assert [each.unknown_usage for each in answer.reports] == [1, 2]
    shown = "have an answer of unknown usage: tokens and cost are at least those shown"
    assert f"none: 1 of 2 trials {shown} (1 for one)" in answer.notes
    assert f"pair: 2 of 3 trials {shown} (2 for one)" in answer.notes
