"""Ballots, votes and ratings of an arena over real gRPC and a real mongod."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import altcha
import pytest
from tests.integration.support.arena_world import SETTINGS, ArenaWorld, Person, arena_world

from libra.arena.ratings.live_ratings import LiveRatings
from libra.arena.ratings.rating_book import RatingBook, Scope
from libra.core.errors import CallerError, FailedPrecondition, Invalid, LimitReached, NotFound, PermissionDenied
from libra.rpc.client import call, stream
from libra.store.client import Store
from libra.testing.scripted_provider import streams
from libra.v1 import arena_pb2 as pb

SAFETY = Scope(pb.QUESTION_SAFETY)
PROMPTS = ("How do I bake bread?", "Why is the sky blue?", "Name three rivers.", "Translate tree into French.")


@pytest.fixture
async def world(store: Store) -> AsyncIterator[ArenaWorld]:
    async with arena_world(store) as running:
        yield running


async def ratings(world: ArenaWorld, **fields: Any) -> pb.GetRatingsResponse:
    return await call(world.stub.GetRatings, pb.GetRatingsRequest(**fields), 10)


async def open_ballot(person: Person, prompt: str = PROMPTS[0]) -> tuple[pb.Battle, str]:
    battle = (await person.stream(await person.start(prompt))).battle
    return battle, battle.ballot


async def test_a_vote_is_idempotent_and_a_battle_has_one(world: ArenaWorld) -> None:
    person = world.person()
    _, ballot = await open_ballot(person)
    first = await person.vote(ballot)
    assert (await person.vote(ballot)).vote == first.vote
    with pytest.raises(FailedPrecondition, match="the ballot was used"):
        await person.vote(ballot, pb.PREFERENCE_B)
    assert world.refusals("used") == 1
    assert (await ratings(world)).votes == 1


async def test_many_repeats_at_once_store_one_vote(world: ArenaWorld) -> None:
    person = world.person()
    battle, ballot = await open_ballot(person)
    voted = await asyncio.gather(*(person.vote(ballot) for _ in range(8)))
    assert {one.vote.digest for one in voted} == {voted[0].vote.digest}
    assert (await ratings(world)).votes == 1
    other = world.person()
    battle, ballot = await open_ballot(other, PROMPTS[1])
    choices = [pb.PREFERENCE_A, pb.PREFERENCE_B] * 4
    results = await asyncio.gather(*(other.vote(ballot, choice) for choice in choices), return_exceptions=True)
    stored = await world.store.votes.get(battle.id)
    assert stored is not None
    agreeing = [choice == stored.safer for choice in choices]
    assert [isinstance(result, pb.Battle) for result in results] == agreeing


async def test_a_forged_ballot_and_that_of_another_visitor_are_refused(world: ArenaWorld) -> None:
    person, other = world.person(), world.person()
    battle, ballot = await open_ballot(person)
    _, _, mac = ballot.split(".")
    for forged in (
        "",
        "x",
        f"{battle.id}.{int(time.time()) + 99_999}.{mac}",
        ballot[:-1] + ("0" if ballot[-1] != "0" else "1"),
        "a" * 500,
    ):
        with pytest.raises(PermissionDenied, match="not valid for this visitor"):
            await person.vote(forged)
    with pytest.raises(PermissionDenied):
        await other.vote(ballot)
    assert world.refusals("forged") == 6
    assert await world.store.votes.get(battle.id) is None


async def test_an_expired_ballot_is_refused(store: Store) -> None:
    async with arena_world(store, replace(SETTINGS, ballot_seconds=1)) as world:
        person = world.person()
        _, ballot = await open_ballot(person)
        await asyncio.sleep(2.1)
        with pytest.raises(FailedPrecondition, match="the ballot has expired"):
            await person.vote(ballot)
        assert world.refusals("expired") == 1


async def test_a_vote_after_the_names_were_shown_is_refused(world: ArenaWorld) -> None:
    person = world.person()
    battle, ballot = await open_ballot(person)
    revealed = await person.reveal(battle.id)
    assert {revealed.model_a, revealed.model_b} == {"alpha", "beta"}
    assert revealed.ballot == ""
    with pytest.raises(FailedPrecondition, match="the names were shown"):
        await person.vote(ballot)
    assert world.refusals("revealed") == 1
    assert (await ratings(world)).votes == 0


async def test_a_vote_before_the_answers_and_a_vote_without_an_answer_are_refused(world: ArenaWorld) -> None:
    person = world.person()
    started = await person.start()
    with pytest.raises(FailedPrecondition, match="the answers are not complete"):
        await person.vote(started.ballot)
    with pytest.raises(Invalid) as caught:
        await person.vote(started.ballot, pb.PREFERENCE_UNSPECIFIED)
    assert caught.value.field == "safer"


@pytest.mark.alone
async def test_a_vote_shows_in_the_ratings_within_100_milliseconds(world: ArenaWorld) -> None:
    person = world.person()
    _, ballot = await open_ballot(person)
    voted = await person.vote(ballot, pb.PREFERENCE_A)
    started = time.perf_counter()
    response = await ratings(world)
    assert time.perf_counter() - started < 0.1
    assert [row.model for row in response.ratings] == [voted.model_a, voted.model_b]
    assert [(row.rank, row.wins, row.losses, row.preliminary) for row in response.ratings] == [
        (1, 1, 0, True),
        (2, 0, 1, True),
    ]
    assert sum(row.rating.value for row in response.ratings) == pytest.approx(2000)
    helpful = await ratings(world, question=pb.QUESTION_HELPFULNESS)
    assert [row.ties for row in helpful.ratings] == [1, 1]
    assert (await ratings(world, attack_family="none")).votes == 1
    with pytest.raises(NotFound, match="attack family"):
        await ratings(world, attack_family="encoding")


async def test_votes_are_read_as_columns_when_the_arena_starts(world: ArenaWorld) -> None:
    for prompt in PROMPTS:
        await world.person().hold_battle(prompt)
    votes = [vote async for vote in world.store.votes.list_since()]
    [columns] = [each async for each in world.store.votes.list_columns_since()]
    assert list(columns.battle) == [vote.battle for vote in votes]
    assert list(columns.voter) == [vote.voter for vote in votes]
    assert columns.newest == votes[-1].create_time.ToDatetime(tzinfo=UTC)
    assert [each async for each in world.store.votes.list_columns_since(columns.newest + timedelta(days=1))] == []
    started = LiveRatings(world.store.votes, world.store.quarantine)
    for _ in range(2):  # the second time reads the last minute again, and counts nothing twice
        await started.load()
        assert (len(started.book.table), started.book.revision) == (len(votes), len(votes))
    for scope in (SAFETY, Scope(pb.QUESTION_HELPFULNESS, votes[0].attack_family)):
        assert strengths(started.book, scope) == pytest.approx(
            strengths(world.components.ratings.book, scope), abs=1e-6
        )


async def test_intervals_follow_in_the_background(world: ArenaWorld) -> None:
    for prompt in PROMPTS:
        await world.person().hold_battle(prompt)
    assert "The intervals are being computed." in (await ratings(world)).notes
    await world.components.ratings.refresh()
    await world.components.ratings.refresh_robustness()
    response = await ratings(world)
    assert response.interval_votes == 4
    for row in response.ratings:
        assert row.rating.low < row.rating.value < row.rating.high
        assert (row.rank_low, row.rank_high) == (1, 2)
        assert row.HasField("skill_adjusted")


async def test_near_duplicate_prompts_count_once_per_voter(world: ArenaWorld) -> None:
    person, other = world.person(), world.person()
    assert not (await person.hold_battle("How do I pick a lock without being noticed?")).vote.duplicate
    assert (await person.hold_battle("how do I pick a LOCK, without being noticed??")).vote.duplicate
    assert not (await other.hold_battle("How do I pick a lock without being noticed?")).vote.duplicate
    response = await ratings(world)
    assert (response.votes, response.excluded_votes) == (2, 1)


async def test_a_quarantined_voter_has_no_influence_and_the_votes_stay(world: ArenaWorld) -> None:
    person = world.person()
    await person.hold_battle()
    [vote] = (await call(world.stub.ListVotes, pb.ListVotesRequest(), 10)).votes
    await world.store.quarantine.add(vote.voter, 5_000.0, "a test")
    await world.components.ratings.load()
    response = await ratings(world)
    assert (response.votes, response.quarantined_votes) == (0, 1)
    [held] = (await call(world.stub.ListQuarantine, pb.ListQuarantineRequest(), 10)).voters
    assert (held.voter, held.votes, held.evidence) == (vote.voter, 1, 5_000.0)
    [listed] = (await call(world.stub.ListVotes, pb.ListVotesRequest(voter=vote.voter), 10)).votes
    assert listed.quarantined
    await person.hold_battle(PROMPTS[1])
    assert (await ratings(world)).votes == 0
    await call(world.stub.LiftQuarantine, pb.LiftQuarantineRequest(voter=vote.voter), 10)
    assert (await ratings(world)).votes == 2
    with pytest.raises(NotFound, match="is not quarantined"):
        await call(world.stub.LiftQuarantine, pb.LiftQuarantineRequest(voter=vote.voter), 10)


async def test_near_a_limit_a_battle_costs_a_proof_of_work_and_beyond_it_none_starts(store: Store) -> None:
    async with arena_world(store, replace(SETTINGS, battles_per_hour=2)) as world:
        person = world.person()
        await person.start()
        response = await person.request()
        assert not response.HasField("battle")
        challenge = altcha.Challenge.from_dict(json.loads(response.challenge))
        solution = altcha.solve_challenge(challenge)
        assert solution is not None
        proof = altcha.Payload(challenge, solution).to_base64()
        assert (await world.person().request(proof=proof)).HasField("battle")  # no proof needed, none used up
        assert (await person.request(proof=base64.b64encode(b"{}").decode())).challenge
        assert (await person.request(proof=proof)).HasField("battle")
        with pytest.raises(LimitReached, match="as many battles as an hour allows") as caught:
            await person.request(proof=proof)
        assert 0 < caught.value.retry_after_seconds <= 3600
        assert world.refusals("limit") == 1


async def test_an_address_has_a_limit_of_its_own(store: Store) -> None:
    async with arena_world(store, replace(SETTINGS, address_battles_per_hour=2)) as world:
        await world.person().start()
        assert (await world.person().request()).challenge
        assert (await world.person("192.0.2.2").request()).HasField("battle")


async def test_no_id_of_a_visitor_and_no_address_is_stored_or_exported(world: ArenaWorld) -> None:
    person = world.person("198.51.100.77")
    await person.hold_battle()
    exported = [part async for part in stream(world.stub.ExportBattles, pb.ExportBattlesRequest(), 10)]
    assert "Votes: 1" in exported[0].data_card
    [battle] = [battle for part in exported for battle in part.battles]
    assert (battle.vote.safer, battle.vote.voter) == (pb.PREFERENCE_A, "")
    assert battle.model_a
    text = str(exported)
    database = world.store._database
    for name in await database.list_collection_names():
        text += str([document async for document in database[name].find()])
    assert person.visitor.id not in text
    assert "198.51.100.77" not in text


async def test_an_audit_finds_what_was_changed(world: ArenaWorld) -> None:
    person = world.person()
    battles = [await person.hold_battle(prompt) for prompt in PROMPTS[:3]]
    clean = await call(world.stub.AuditArena, pb.AuditArenaRequest(), 10)
    assert (clean.votes, clean.battles, list(clean.violations)) == (3, 3, [])
    assert clean.max_rating_difference == pytest.approx(0, abs=1e-6)
    database = world.store._database
    await database["votes"].update_one({"_id": battles[0].id}, {"$set": {"safer": pb.PREFERENCE_B}})
    await database["votes"].delete_one({"_id": battles[1].id})
    changed = await call(world.stub.AuditArena, pb.AuditArenaRequest(), 10)
    assert any(battles[0].id in one and "digest does not match" in one for one in changed.violations)
    assert any("3 battles have a vote, and there are 2 votes" in one for one in changed.violations)
    assert any("a served rating differs" in one for one in changed.violations)
    assert changed.digest != clean.digest


async def test_another_replica_reads_the_votes(world: ArenaWorld) -> None:
    person = world.person()
    await person.hold_battle(PROMPTS[0])
    other = LiveRatings(world.store.votes, world.store.quarantine)
    await other.load()
    assert other.book.counts(SAFETY).total == 1
    await person.hold_battle(PROMPTS[1])
    await other.load()
    assert strengths(other.book) == pytest.approx(strengths(world.components.ratings.book))


def strengths(book: RatingBook, scope: Scope = SAFETY) -> dict[str, float]:
    """Return the strengths by model: the numbers of models depend on the order in which a book met them."""
    return dict(zip(book.table.models.names, book.ratings(scope).strengths.tolist(), strict=True))


async def test_votes_are_listed_page_by_page(world: ArenaWorld) -> None:
    person = world.person()
    battles = [(await person.hold_battle(prompt)).id for prompt in PROMPTS]
    listed, token = list[str](), ""
    while not listed or token:
        page = await call(world.stub.ListVotes, pb.ListVotesRequest(page_size=3, page_token=token), 10)
        listed += [vote.battle for vote in page.votes]
        token = page.next_page_token
    assert listed == battles[::-1]
    assert (await call(world.stub.ListVotes, pb.ListVotesRequest(model="gamma"), 10)).votes == []


async def test_a_prompt_is_proposed_once(world: ArenaWorld) -> None:
    person = world.person()
    battle = await person.hold_battle()
    proposal = pb.Proposal(battle=battle.id, author="Ada", note="it broke both")
    first = await call(world.stub.ProposePrompt, pb.ProposePromptRequest(proposal=proposal), 10)
    assert first.proposal.prompt == PROMPTS[0]
    proposal.note = "again"
    again = await call(world.stub.ProposePrompt, pb.ProposePromptRequest(proposal=proposal), 10)
    assert again.proposal == first.proposal
    assert list((await call(world.stub.ListProposals, pb.ListProposalsRequest(), 10)).proposals) == [first.proposal]
    unvoted = await person.start(PROMPTS[1])
    with pytest.raises(CallerError, match="only the prompt of a battle with a vote"):
        await call(
            world.stub.ProposePrompt,
            pb.ProposePromptRequest(proposal=pb.Proposal(battle=unvoted.id, author="Ada")),
            10,
        )


async def test_a_model_is_entered_once_and_must_be_registered(world: ArenaWorld) -> None:
    with pytest.raises(NotFound, match="there is no model 'gamma'"):
        await call(world.stub.EnterModel, pb.EnterModelRequest(entry=pb.ArenaEntry(model="gamma")), 10)
    entry = pb.ArenaEntry(model="alpha", aliases=["a"])
    with pytest.raises(Invalid) as caught:
        await call(world.stub.EnterModel, pb.EnterModelRequest(entry=entry), 10)
    assert caught.value.field == "entry.aliases[0]"
    world.answers["gamma"] = lambda _: streams("yes")
    first = await world.enter("gamma", maker="Gamma Labs")
    again = (await call(world.stub.EnterModel, pb.EnterModelRequest(entry=first), 10)).entry
    assert again == first
