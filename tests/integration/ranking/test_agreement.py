"""How far a panel's members agree in a run, from verdicts in a real store."""

from __future__ import annotations

import pytest
from tests.integration.support.ranking_world import batch, create_run, section, serving

from libra.errors import NotFound
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.batch_pb2 import VerdictBatch
from libra.v1.ranking_pb2 import GetAgreementRequest, GetAgreementResponse
from libra.v1.verdict_pb2 import JudgeVersion

PANEL = JudgeVersion(name="panel", version="1", rubric_hash="bbbbbbbbbbbb")


def voted(run: str, task: str, votes: list[str], *, model: str = "one", judge: JudgeVersion = PANEL) -> VerdictBatch:
    """Verdicts of a panel, one for each of its members' votes on an answer."""
    made = batch(run, section(task, len(votes)), [1.0] * len(votes), model=model, judge=judge)
    for verdict, kept in zip(made.verdicts, votes, strict=True):
        verdict.fields["votes"] = kept
    return made


async def agreement(store: Store, run: str) -> GetAgreementResponse:
    async with serving(store) as stub:
        return await call(stub.GetAgreement, GetAgreementRequest(run=run), 15)


async def test_the_votes_of_every_model_count_and_single_ones_do_not(store: Store) -> None:
    run = await create_run(store, [section("a@1", 5), section("b@1", 2), section("c@1", 1)], "one", "two")
    await store.verdicts.write(
        [
            voted(run, "a@1", ["1,1", "0,0", "1,-"]),
            voted(run, "a@1", ["1,1", "0,0", "1,0"], model="two"),
            voted(run, "b@1", ["1,1,1", "1,1,1"]),
            batch(run, section("c@1", 1), [1.0]),
        ]
    )
    got = (await agreement(store, run)).agreements
    assert [each.task for each in got] == ["a@1", "b@1"]
    assert (got[0].answers, got[0].votes, got[0].unanimous) == (5, 10, 0.8)
    # Of ten votes five are 1: one of five pairs is apart, and 25 of 45 would be by chance.
    assert got[0].alpha == pytest.approx(1 - (1 / 5) / (25 / 45))
    assert got[0].judge == PANEL
    assert (got[1].votes, got[1].unanimous, got[1].HasField("alpha")) == (6, 1.0, False)


async def test_two_panels_on_one_task_are_told_apart(store: Store) -> None:
    other = JudgeVersion(name="panel", version="1", rubric_hash="cccccccccccc")
    run = await create_run(store, [section("a@1", 2)], "one", "two")
    await store.verdicts.write(
        [voted(run, "a@1", ["1,0", "0,1"]), voted(run, "a@1", ["1,1,1", "0,0,0"], model="two", judge=other)]
    )
    got = (await agreement(store, run)).agreements
    assert [each.judge.rubric_hash for each in got] == ["bbbbbbbbbbbb", "cccccccccccc"]
    assert got[0].alpha == pytest.approx(-0.5)
    assert got[1].alpha == 1


async def test_a_run_without_a_panel_has_none_and_one_that_there_is_not_is_not_found(store: Store) -> None:
    run = await create_run(store, [section("c@1", 1)])
    await store.verdicts.write([batch(run, section("c@1", 1), [1.0])])
    assert not (await agreement(store, run)).agreements
    with pytest.raises(NotFound, match="no run"):
        await agreement(store, "01NONE")
