"""The agreement of a panel's members in a run, from verdicts in the real store."""

from __future__ import annotations

import pytest
from tests.integration.support.ranking_world import batch, create_run, section, serving

from libra.core.errors import NotFound
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.batch_pb2 import VerdictBatch
from libra.v1.ranking_pb2 import GetAgreementRequest, GetAgreementResponse
from libra.v1.verdict_pb2 import JudgeVersion

PANEL = JudgeVersion(name="panel", version="1", rubric_hash="bbbbbbbbbbbb")


def panel_batch(
    run: str, task: str, votes: list[str], *, model: str = "one", judge: JudgeVersion = PANEL
) -> VerdictBatch:
    """Return a panel's verdicts, one for each list of its members' votes."""
    made = batch(run, section(task, len(votes)), [1.0] * len(votes), model=model, judge=judge)
    for verdict, member_votes in zip(made.verdicts, votes, strict=True):
        verdict.fields["votes"] = member_votes
    return made


async def agreement(store: Store, run: str) -> GetAgreementResponse:
    async with serving(store) as stub:
        return await call(stub.GetAgreement, GetAgreementRequest(run=run), 15)


async def test_the_votes_on_every_model_count_and_single_votes_do_not(store: Store) -> None:
    run = await create_run(store, [section("a@1", 5), section("b@1", 2), section("c@1", 1)], "one", "two")
    await store.verdicts.write(
        [
            panel_batch(run, "a@1", ["1,1", "0,0", "1,-"]),
            panel_batch(run, "a@1", ["1,1", "0,0", "1,0"], model="two"),
            panel_batch(run, "b@1", ["1,1,1", "1,1,1"]),
            batch(run, section("c@1", 1), [1.0]),
        ]
    )
    got = (await agreement(store, run)).agreements
    assert [each.task for each in got] == ["a@1", "b@1"]
    assert (got[0].answers, got[0].votes, got[0].unanimous) == (5, 10, 0.8)
    # Five of ten votes are 1: one of five pairs disagrees, and 25 of 45 would by chance.
    assert got[0].alpha == pytest.approx(1 - (1 / 5) / (25 / 45))
    assert got[0].judge == PANEL
    assert (got[1].votes, got[1].unanimous, got[1].HasField("alpha")) == (6, 1.0, False)


async def test_two_panels_on_one_task_are_listed_separately(store: Store) -> None:
    other = JudgeVersion(name="panel", version="1", rubric_hash="cccccccccccc")
    run = await create_run(store, [section("a@1", 2)], "one", "two")
    await store.verdicts.write(
        [panel_batch(run, "a@1", ["1,0", "0,1"]), panel_batch(run, "a@1", ["1,1,1", "0,0,0"], model="two", judge=other)]
    )
    got = (await agreement(store, run)).agreements
    assert [each.judge.rubric_hash for each in got] == ["bbbbbbbbbbbb", "cccccccccccc"]
    assert got[0].alpha == pytest.approx(-0.5)
    assert got[1].alpha == 1


async def test_a_run_without_a_panel_has_no_agreement_and_an_unknown_run_is_not_found(store: Store) -> None:
    run = await create_run(store, [section("c@1", 1)])
    await store.verdicts.write([batch(run, section("c@1", 1), [1.0])])
    assert not (await agreement(store, run)).agreements
    with pytest.raises(NotFound, match="no run"):
        await agreement(store, "01NONE")
