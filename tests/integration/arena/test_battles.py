"""Battles of an arena over real gRPC, a real gateway and a real mongod."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.integration.support.arena_world import PROMPT, SETTINGS, ArenaWorld, arena_world

from libra.core.errors import FailedPrecondition, Invalid, NotFound, PermissionDenied
from libra.rpc.client import call
from libra.store.client import Store
from libra.testing.scripted_provider import hangs, refuses, says, streams
from libra.v1 import arena_pb2 as pb
from libra.v1.completion_pb2 import RESPONSE_CLASS_ANSWERED, RESPONSE_CLASS_FAILED

NAMES = {"alpha", "beta"}


@pytest.fixture
async def world(store: Store) -> AsyncIterator[ArenaWorld]:
    async with arena_world(store) as running:
        yield running


async def test_a_battle_shows_two_answers_and_the_names_after_the_vote(world: ArenaWorld) -> None:
    world.says("alpha", "first take a bowl")
    world.says("beta", "mix flour and water")
    person = world.person()
    started = await person.start()
    assert (started.state, started.model_a, started.pair_probability) == (pb.BATTLE_STATE_ANSWERING, "", 0.0)
    turn = await person.stream(started)
    assert turn.shown == [PROMPT]
    assert set(turn.texts.values()) == {"first take a bowl", "mix flour and water"}
    assert {end.response_class for end in turn.ends.values()} == {RESPONSE_CLASS_ANSWERED}
    assert (turn.battle.state, turn.battle.model_a) == (pb.BATTLE_STATE_OPEN, "")
    voted = await person.vote(turn.battle.ballot, pb.PREFERENCE_B, pb.PREFERENCE_BOTH_BAD)
    assert voted.state == pb.BATTLE_STATE_VOTED
    assert {voted.model_a, voted.model_b} == NAMES
    assert voted.pair_probability == pytest.approx(0.5)
    assert (voted.vote.safer, voted.vote.more_helpful) == (pb.PREFERENCE_B, pb.PREFERENCE_BOTH_BAD)
    assert (voted.vote.blind, voted.vote.voter, voted.vote.turns) == (True, "", 1)


async def test_the_attack_transforms_what_the_models_are_shown(world: ArenaWorld) -> None:
    rules = await call(world.stub.GetRules, pb.GetRulesRequest(), 10)
    assert rules.max_turns == 8
    assert "base64" in {attack.name for attack in rules.attacks}
    person = world.person()
    turn = await person.stream(await person.start(attack="base64"))
    assert PROMPT not in turn.shown[-1]
    assert (turn.battle.attack, turn.battle.attack_family) == ("base64", "encoding")
    assert [asked.prompt for asked in world.provider.requests] == [turn.shown[-1]] * 2


async def test_a_battle_has_up_to_eight_turns(world: ArenaWorld) -> None:
    person = world.person()
    battle = await person.start()
    await person.stream(battle)
    for position in range(1, 8):
        await person.add(battle, f"and then {position}?", position)
        await person.stream(battle, position)
    assert len((await person.get(battle.id)).turns) == 8
    with pytest.raises(FailedPrecondition, match="at most 8 turns"):
        await person.add(battle, "and then?", 8)
    roles = [message["role"] for message in world.provider.requests[-1].body["messages"]]
    assert roles == ["user", "assistant"] * 7 + ["user"]


async def test_a_turn_that_was_answered_is_sent_again_from_the_store(world: ArenaWorld) -> None:
    person = world.person()
    battle = await person.start()
    first, again = await person.stream(battle), await person.stream(battle)
    assert again.texts == first.texts
    assert world.provider.count == 2


async def test_words_that_identify_a_model_are_masked_and_the_battle_is_flagged(world: ArenaWorld) -> None:
    await world.enter("gamma-7b", maker="Gamma Labs", aliases=("Gam",))
    for model in ("alpha", "beta", "gamma-7b"):
        world.answers[model] = lambda _: streams("I am Ga", "mma 7B by GAMMA labs, not al", "pha or be", "ta")
    person = world.person()
    turn = await person.stream(await person.start())
    assert set(turn.texts.values()) == {"I am [masked] by [masked], not [masked] or [masked]"}
    assert turn.battle.identity_masked
    voted = await person.vote(turn.battle.ballot)
    assert not voted.vote.blind
    assert "Ga" in voted.turns[0].a.text
    ratings = await call(world.stub.GetRatings, pb.GetRatingsRequest(), 10)
    assert (ratings.votes, ratings.excluded_votes) == (0, 1)


async def test_reasoning_is_not_shown(world: ArenaWorld) -> None:
    for model in NAMES:
        world.answers[model] = lambda _: streams("<thi", "nk>secret plan</think>", "the answer")
    person = world.person()
    assert set((await person.stream(await person.start())).texts.values()) == {"the answer"}


async def test_both_answers_are_shown_at_the_same_pace(store: Store) -> None:
    async with arena_world(store, replace(SETTINGS, characters_per_second=400)) as world:
        world.answers["alpha"] = lambda _: says("x" * 200)
        world.answers["beta"] = lambda _: streams(*["y" * 20] * 10, pause_seconds=0.02)
        person = world.person()
        battle = await person.start()
        shown = {pb.SIDE_A: 0, pb.SIDE_B: 0}
        gaps = []
        async for event in person.events(battle):
            if event.WhichOneof("event") == "delta":
                shown[event.delta.side] += len(event.delta.text)
                gaps.append(abs(shown[pb.SIDE_A] - shown[pb.SIDE_B]))
        assert shown == {pb.SIDE_A: 200, pb.SIDE_B: 200}
        assert max(gaps) < 200  # neither is shown at once
        assert gaps[1::2] == [0] * (len(gaps) // 2)  # after each pair of parts both are equally far


async def test_a_model_that_fails_ends_the_battle_and_another_pair_is_offered(world: ArenaWorld) -> None:
    await world.enter("gamma")
    world.answers["gamma"] = lambda _: refuses(400, message="no")
    person = world.person()
    for _ in range(20):
        battle = await person.start()
        turn = await person.stream(battle)
        if turn.battle.state == pb.BATTLE_STATE_FAILED:
            break
    assert turn.battle.state == pb.BATTLE_STATE_FAILED
    [side] = turn.battle.failed_sides
    assert turn.ends[side].response_class == RESPONSE_CLASS_FAILED
    assert "gamma" not in turn.battle.problem
    assert turn.battle.ballot == ""
    other = await person.start(prompt="", replaces=battle.id)
    again = await person.start(prompt="", replaces=battle.id)
    assert other.id == again.id != battle.id
    voted = await person.vote((await person.stream(other)).battle.ballot)
    assert {voted.model_a, voted.model_b} == NAMES
    assert [(one.model, "failed" in one.reason) for one in voted.left_out] == [("gamma", True)]


async def test_a_model_that_stalls_fails(store: Store) -> None:
    async with arena_world(store, replace(SETTINGS, stall_seconds=0.4)) as world:
        world.answers["beta"] = lambda _: hangs()
        person = world.person()
        turn = await person.stream(await person.start())
        assert turn.battle.state == pb.BATTLE_STATE_FAILED
        assert "did not answer" in turn.battle.problem
        assert turn.heartbeats
        with pytest.raises(FailedPrecondition, match="a battle needs two models"):
            await person.start()


async def test_a_failure_in_a_later_turn_leaves_the_earlier_ones_to_vote_on(world: ArenaWorld) -> None:
    person = world.person()
    battle = await person.start()
    await person.stream(battle)
    world.answers["alpha"] = lambda _: refuses(400, message="no")
    await person.add(battle, "and then?")
    turn = await person.stream(battle, 1)
    assert (turn.battle.state, len(turn.battle.turns)) == (pb.BATTLE_STATE_OPEN, 1)
    assert turn.battle.problem
    assert (await person.vote(turn.battle.ballot)).vote.turns == 1


async def test_a_visitor_who_leaves_ends_the_requests_and_can_come_back(world: ArenaWorld) -> None:
    for model in NAMES:
        world.answers[model] = lambda _: streams(*["word "] * 100, pause_seconds=0.05)
    person = world.person()
    battle = await person.start()
    leaving = person.events(battle)
    while (await anext(leaving)).WhichOneof("event") != "delta":
        pass
    await leaving.aclose()
    async with asyncio.timeout(5):
        while any(map(world.gateway.channels.in_flight, NAMES)):
            await asyncio.sleep(0.05)
    for model in NAMES:
        world.says(model, "done")
    turn = await person.stream(await person.get(battle.id))
    assert set(turn.texts.values()) == {"done"}


BAD_PROMPTS = {
    "empty": ("", "the prompt is empty"),
    "blank": (" \n\t ", "the prompt is empty"),
    "100 kB": ("x" * 100_000, "the limit is 16,384"),
    "control character": ("ring \x07 the bell", "control character U.0007 at position 5"),
}


@pytest.mark.parametrize(("prompt", "message"), BAD_PROMPTS.values(), ids=BAD_PROMPTS)
async def test_a_bad_prompt_is_refused_with_its_field(world: ArenaWorld, prompt: str, message: str) -> None:
    with pytest.raises(Invalid, match=message) as caught:
        await world.person().start(prompt)
    assert caught.value.field == "prompt"


async def test_unknown_names_are_refused(world: ArenaWorld) -> None:
    person = world.person()
    with pytest.raises(NotFound, match="did you mean base64"):
        await person.start(attack="bas64")
    with pytest.raises(NotFound, match="there is no battle"):
        await person.get("0" * 32)
    with pytest.raises(NotFound, match="no suggestion"):
        await person.start(prompt="", suggestion="nothing/1")
    with pytest.raises(PermissionDenied, match="another visitor started this battle"):
        await world.person().stream(await person.start())
    with pytest.raises(Invalid, match="a visitor's id"):
        await call(world.stub.StartBattle, pb.StartBattleRequest(prompt="hello"), 10)


async def test_a_model_that_left_is_not_chosen_and_keeps_its_battles(world: ArenaWorld) -> None:
    await world.enter("gamma")
    person = world.person()
    await person.hold_battle()
    await call(world.stub.LeaveModel, pb.LeaveModelRequest(model="alpha"), 10)
    voted = await person.hold_battle("another question entirely")
    assert {voted.model_a, voted.model_b} == {"beta", "gamma"}
    entries = (await call(world.stub.ListEntries, pb.ListEntriesRequest(), 10)).entries
    assert [(entry.model, entry.HasField("leave_time")) for entry in entries] == [
        ("alpha", True),
        ("beta", False),
        ("gamma", False),
    ]
    assert sum(entry.votes for entry in entries) == 4
    with pytest.raises(NotFound, match="did you mean alpha"):
        await call(world.stub.LeaveModel, pb.LeaveModelRequest(model="alhpa"), 10)
