"""Rounds are opened whole or not at all, used while they are open, and released when they are closed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from libra.commitment.commitment import read_commitment
from libra.commitment.verification import verify_release
from libra.core.errors import Conflict, FailedPrecondition, Invalid, NotFound
from libra.ranking.queries.auditor import Auditor
from libra.rpc.client import call, stream
from libra.store import indexes
from libra.store.runs import FINISHED
from libra.v1.round_pb2 import (
    CloseRoundRequest,
    GetRoundCommitmentRequest,
    GetRoundReleaseRequest,
    GetRoundRequest,
    ListRoundsRequest,
    ListSealedLooksRequest,
    OpenRoundRequest,
    OpenRoundResponse,
    RevealSealedSampleRequest,
    Round,
    RoundState,
)
from libra.v1.run_pb2 import RunState
from libra.v1.task_pb2 import ListSamplesRequest, Sample

from .caller import CARD, SECONDS, Dispatch, record

ADDED = {"rounds": 1, "round_samples": 5, "tasks": 1, "samples": 5}
"""The documents of a round of five samples of one task."""


async def open_round(dispatch: Dispatch, name: str = "2027Q1", samples: int = 20, **fields: Any) -> OpenRoundResponse:
    request = OpenRoundRequest(name=name, samples_per_task=samples, **{"tasks": ["mine"], **fields})
    opened: OpenRoundResponse = await call(dispatch.rounds.OpenRound, request, SECONDS)
    return opened


async def close_round(dispatch: Dispatch, name: str = "2027Q1", *, release_anchors: bool = False) -> Round:
    request = CloseRoundRequest(name=name, release_anchors=release_anchors)
    closed: Round = (await call(dispatch.rounds.CloseRound, request, SECONDS)).round
    return closed


async def release(dispatch: Dispatch, name: str = "2027Q1") -> list[bytes]:
    pieces = stream(dispatch.rounds.GetRoundRelease, GetRoundReleaseRequest(name=name), SECONDS)
    return b"".join([piece.data async for piece in pieces]).splitlines(keepends=True)


async def list_samples(dispatch: Dispatch, task: str) -> list[Sample]:
    request = ListSamplesRequest(task=task, page_size=500)
    return list((await call(dispatch.tasks.ListSamples, request, SECONDS)).samples)


async def documents(dispatch: Dispatch) -> dict[str, int]:
    """Return the number of documents of every collection that a round writes."""
    names = (indexes.ROUNDS, indexes.ROUND_SAMPLES, indexes.TASKS, indexes.SAMPLES)
    return {name: await dispatch.store._database[name].count_documents({}) for name in names}


@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({"name": "a/b"}, Invalid, "name"),
        ({"name": ""}, Invalid, "name"),
        ({"name": "0123456789ab"}, Invalid, "name"),
        ({"tasks": []}, Invalid, "tasks"),
        ({"tasks": ["min"]}, Invalid, "tasks[0]"),
        ({"samples": 0}, Invalid, "samples_per_task"),
        ({"samples": -3}, Invalid, "samples_per_task"),
        ({"samples": 121}, Invalid, "samples_per_task"),
        ({"samples": 1_000_000}, Invalid, "samples_per_task"),
        ({"anchor_share": 0.5}, Invalid, "anchor_share"),
        ({"anchor_share": 0.01}, Invalid, "anchor_share"),
        ({"anchor_share": float("nan")}, Invalid, "anchor_share"),
    ],
)
async def test_a_round_that_cannot_be_opened_leaves_nothing(
    dispatch: Dispatch, fields: dict[str, Any], error: type[Invalid], field: str
) -> None:
    await dispatch.import_task()
    before = await documents(dispatch)
    with pytest.raises(error) as caught:
        await open_round(dispatch, **fields)
    assert caught.value.field == field
    assert await documents(dispatch) == before


async def test_a_round_of_an_open_name_is_refused(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await open_round(dispatch)
    with pytest.raises(Conflict, match="there is a round '2027Q1' already"):
        await open_round(dispatch)
    before = await documents(dispatch)
    opened = await asyncio.gather(*(open_round(dispatch, "2027Q2", 5) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(each, OpenRoundResponse) for each in opened) == 1
    assert sum(isinstance(each, Conflict) for each in opened) == 2
    after = await documents(dispatch)
    assert {name: after[name] - before[name] for name in after} == ADDED


async def test_unknown_rounds_are_refused_with_the_nearest_names(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await open_round(dispatch)
    for method, request in (
        (dispatch.rounds.GetRound, GetRoundRequest(name="2027Q7")),
        (dispatch.rounds.CloseRound, CloseRoundRequest(name="2027Q7")),
        (dispatch.rounds.GetRoundCommitment, GetRoundCommitmentRequest(name="2027Q7")),
        (dispatch.rounds.ListSealedLooks, ListSealedLooksRequest(round="2027Q7")),
    ):
        with pytest.raises(NotFound, match="did you mean 2027Q1"):
            await call(method, request, SECONDS)
    with pytest.raises(NotFound):
        await dispatch.create(round="2027Q7", tasks=[])


async def test_an_open_round_shows_no_text_and_its_release_matches_the_commitment(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    opened = await open_round(dispatch)
    assert (opened.round.state, opened.round.samples, opened.round.sealed) == (RoundState.ROUND_STATE_OPEN, 20, 20)
    with pytest.raises(FailedPrecondition, match="is open and its samples are sealed"):
        await release(dispatch)
    assert all(sample == Sample(ordinal=sample.ordinal, sealed=True) for sample in await list_samples(dispatch, "mine"))
    assert {sample.sealed for sample in await list_samples(dispatch, "mine@2027Q1")} == {True}
    await dispatch.import_task(
        data="\n".join(record(f"Was ist {n} + ½? ☕", answer=str(n)) for n in range(60)).encode()
    )
    assert {sample.sealed for sample in await list_samples(dispatch, "mine")} == {True}

    closed = await close_round(dispatch)
    assert (closed.state, closed.sealed) == (RoundState.ROUND_STATE_CLOSED, 3)
    assert await close_round(dispatch) == closed
    found = verify_release(await release(dispatch), read_commitment(opened.commitment))
    assert (found.released, found.sealed) == (17, 3)
    shown = [sample for sample in await list_samples(dispatch, "mine@2027Q1") if not sample.sealed]
    assert len(shown) == 17
    everywhere = {json.loads(line)["sample"]["fields"]["answer"] for line in (await release(dispatch))[1:-1]}
    assert {sample.fields["answer"] for sample in shown} == everywhere
    visible = {sample.fields["answer"] for sample in await list_samples(dispatch, "mine") if not sample.sealed}
    assert visible == {answer for answer in everywhere if int(answer) < 60}


async def test_the_next_round_carries_anchors_over_and_draws_no_sample_twice(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    first = await open_round(dispatch, "2027Q1", 40)
    await close_round(dispatch, "2027Q1")
    second = await open_round(dispatch, "2027Q2", 30, anchor_share=0.1)
    assert (second.round.follows, second.round.anchors) == ("2027Q1", 3)
    await close_round(dispatch, "2027Q2")
    third = await open_round(dispatch, "2027Q3", 40, anchor_share=0.2)
    assert (third.round.follows, third.round.anchors) == ("2027Q2", 3)
    assert [warning for warning in third.warnings if "3 anchors rather than 8" in warning]
    await close_round(dispatch, "2027Q3", release_anchors=True)

    texts: dict[str, set[str]] = {}
    for opened in (first, second, third):
        lines = await release(dispatch, opened.round.name)
        assert verify_release(lines, read_commitment(opened.commitment)).sealed == 0
        texts[opened.round.name] = {json.loads(line)["sample"]["fields"]["answer"] for line in lines[1:-1]}
    assert [len(texts[name] & texts[after]) for name, after in (("2027Q1", "2027Q2"), ("2027Q2", "2027Q3"))] == [3, 3]
    assert texts["2027Q1"] & texts["2027Q3"] == set()
    assert len(set().union(*texts.values())) == 40 + 27 + 37
    with pytest.raises(Invalid, match="16 are distinct and were in no round before"):
        await open_round(dispatch, "2027Q4", 40)
    listed = (await call(dispatch.rounds.ListRounds, ListRoundsRequest(page_size=2), SECONDS)).rounds
    assert [each.name for each in listed] == ["2027Q3", "2027Q2"]


async def test_an_anchor_stays_sealed_while_a_later_round_uses_it(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await open_round(dispatch, "2027Q1", 20)
    await open_round(dispatch, "2027Q2", 20)  # before the first is closed
    assert (await close_round(dispatch, "2027Q1")).sealed == 3
    assert (await close_round(dispatch, "2027Q2")).sealed == 3
    first = (await call(dispatch.rounds.GetRound, GetRoundRequest(name="2027Q1"), SECONDS)).round
    assert first.sealed == 0
    await open_round(dispatch, "2027Q3", 20, anchor_share=0)  # carries nothing over
    second = (await call(dispatch.rounds.GetRound, GetRoundRequest(name="2027Q2"), SECONDS)).round
    assert second.sealed == 0


async def test_a_run_of_a_round_uses_exactly_its_samples_while_it_is_open(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await open_round(dispatch)
    created = (await dispatch.create(round="2027Q1", tasks=[])).run
    assert (list(created.spec.tasks), created.trials) == (["mine@2027Q1"], 20)
    stored = await dispatch.store.runs.get(created.id)
    assert stored
    assert all(section.sealed for section in stored.sections)
    ordinary = await dispatch.store.runs.get((await dispatch.create(tasks=["mine"])).run.id)
    assert ordinary
    assert all(section.sealed for section in ordinary.sections)
    with pytest.raises(FailedPrecondition, match="are the samples of an open round"):
        await dispatch.create(tasks=["mine@2027Q1"])
    with pytest.raises(Invalid, match="are fixed"):
        await dispatch.create(round="2027Q1", tasks=["mine"], samples_per_task=3)
    with pytest.raises(Invalid):
        await dispatch.create(round="2027Q1", tasks=["another"])

    with pytest.raises(FailedPrecondition, match=f"the run {created.id} of the round 2027Q1 is running"):
        await close_round(dispatch)
    view = (await call(dispatch.rounds.GetRound, GetRoundRequest(name="2027Q1"), SECONDS)).round
    assert (view.state, view.sealed) == (RoundState.ROUND_STATE_OPEN, 20)
    await dispatch.store.runs.mark_ended(created.id, FINISHED)
    await close_round(dispatch)
    with pytest.raises(FailedPrecondition, match="is closed"):
        await dispatch.create(round="2027Q1", tasks=[])
    with pytest.raises(FailedPrecondition, match="is closed"):
        await dispatch.create(rejudges=created.id, models=[], tasks=[])
    published = (await dispatch.create(tasks=["mine@2027Q1"])).run
    assert (published.spec.round, published.trials) == ("", 20)


async def test_a_round_without_a_commitment_gets_no_run(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await open_round(dispatch)
    rounds = dispatch.store._database[indexes.ROUNDS]
    await rounds.update_one({"_id": "2027Q1"}, {"$set": {"commitment": b""}})
    with pytest.raises(FailedPrecondition, match="has no commitment yet"):
        await dispatch.create(round="2027Q1", tasks=[])


async def test_a_round_is_not_opened_while_a_run_uses_its_task_unsealed(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    run = (await dispatch.create()).run
    with pytest.raises(FailedPrecondition, match=f"the run {run.id} uses mine unsealed"):
        await open_round(dispatch)
    await dispatch.store.runs.mark_ended(run.id, RunState.RUN_STATE_CANCELLED)
    await open_round(dispatch)


async def test_an_auditor_sees_a_sealed_sample_and_the_look_is_recorded(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    opened = await open_round(dispatch)
    request = RevealSealedSampleRequest(round="2027Q1", task="mine", ordinal=4, auditor_key=opened.auditor_key)
    sample = (await call(dispatch.rounds.RevealSealedSample, request, SECONDS)).sample
    assert sample.messages[0].content == f"Was ist {sample.fields['answer']} + ½? ☕"
    for wrong, error in (({"auditor_key": "libra-auditor-x"}, Invalid), ({"task": "min"}, NotFound)):
        changed = RevealSealedSampleRequest()
        changed.CopyFrom(request)
        for name, value in wrong.items():
            setattr(changed, name, value)
        with pytest.raises(error):
            await call(dispatch.rounds.RevealSealedSample, changed, SECONDS)
    looks = (await call(dispatch.rounds.ListSealedLooks, ListSealedLooksRequest(round="2027Q1"), SECONDS)).looks
    assert [(look.subject, look.count) for look in looks] == [("the sample mine@2027Q1/4", 1)]
    assert "127.0.0.1" in looks[0].peer
    stored = await dispatch.store._database[indexes.ROUNDS].find_one({"_id": "2027Q1"})
    assert opened.auditor_key not in str(stored)


async def test_samples_that_several_tasks_have_are_drawn_once(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await dispatch.import_task(card=CARD.replace("mine", "copy"))
    with pytest.raises(Invalid, match="the task mine has 120 samples, of which 0 are distinct"):
        await open_round(dispatch, tasks=["mine", "copy"])


async def test_an_audit_names_the_samples_that_were_changed_after_the_commitment(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await open_round(dispatch)
    run = (await dispatch.create(round="2027Q1", tasks=[])).run
    auditor, database = Auditor(dispatch.store), dispatch.store._database

    async def findings() -> list[tuple[str, list[str]]]:
        response = await auditor.audit(run.id)
        law = "every sample of a round matches the round's commitment"
        assert law in response.laws
        return [(finding.message, list(finding.concerned)) for finding in response.findings if finding.law == law]

    assert await findings() == []
    changed = {"$set": {"messages.0.content": "Was ist 1 + 1?"}}
    await database[indexes.SAMPLES].update_one({"_id": "mine@2027Q1/000000007"}, changed)
    assert await findings() == [
        ("1 samples do not match the commitment of the round 2027Q1", ["mine@2027Q1/7"]),
    ]
    stored = await dispatch.store.rounds.get("2027Q1")
    assert stored
    forged = stored.commitment.replace(b"2027Q1", b"2027Q9")
    await database[indexes.ROUNDS].update_one({"_id": "2027Q1"}, {"$set": {"commitment": forged}})
    assert "its signature is not valid" in (await findings())[0][0]
