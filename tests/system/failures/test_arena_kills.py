"""Arena and gateway are killed in the middle of battles: each can go on, and no vote is lost or counted twice."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

import pytest
from tests.integration.support.arena_world import Person, Turn

from libra.core.errors import LibraError, Unavailable
from libra.local.system import System
from libra.rpc.client import call, channel
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, streams
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2_grpc import ArenaServiceStub
from libra.v1.model_pb2 import CreateModelRequest, Model, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub

pytestmark = pytest.mark.timeout(180)

WORDS = 12
VOTERS = 6


def answer_slowly(asked: ReceivedRequest) -> Behaviour:
    return streams(*[f"word {number} " for number in range(WORDS)], pause_seconds=0.1)


@pytest.fixture
async def arena(system: System) -> AsyncIterator[ArenaServiceStub]:
    """The arena with two models that answer slowly; the models leave it afterwards."""
    names = [f"slow-{secrets.token_hex(4)}" for _ in range(2)]
    async with ScriptedProvider(answer_slowly) as provider:
        async with channel(system.grpc_target("dispatch")) as dispatch:
            for name in names:
                model = Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=provider.url)
                await call(ModelServiceStub(dispatch).CreateModel, CreateModelRequest(model=model), 10)
        async with channel(system.grpc_target("arena")) as opened:
            stub = ArenaServiceStub(opened)
            for name in names:
                await enter(stub, name)
            yield stub
            for name in names:
                await call(stub.LeaveModel, pb.LeaveModelRequest(model=name), 10)


async def enter(stub: ArenaServiceStub, model: str) -> None:
    """Enter a model; the gateway lists a new model within two seconds."""
    began = time.monotonic()
    while True:
        try:
            await call(stub.EnterModel, pb.EnterModelRequest(entry=pb.ArenaEntry(model=model)), 10)
        except LibraError:
            assert time.monotonic() - began < 20
            await asyncio.sleep(0.2)
        else:
            return


async def restart(system: System, part: str) -> None:
    await asyncio.to_thread(system.kill, part)
    await asyncio.to_thread(system.start_part, part)


async def test_a_battle_goes_on_after_arena_and_gateway_were_killed(system: System, arena: ArenaServiceStub) -> None:
    person = Person(arena)
    battle = await person.start()
    events = person.events(battle)
    while (await anext(events)).WhichOneof("event") != "delta":
        pass
    restarting = asyncio.create_task(restart(system, "arena"))
    with pytest.raises(LibraError):
        await read_to_the_end(events)
    await restarting
    reading = asyncio.create_task(stream_when_reachable(person, battle))
    await asyncio.sleep(0.5)
    await restart(system, "gateway")  # its answers are asked for again while the visitor waits
    turn = await reading
    assert {text.split()[-1] for text in turn.texts.values()} == {str(WORDS - 1)}
    assert (await person.vote(turn.battle.ballot)).state == pb.BATTLE_STATE_VOTED


async def test_no_vote_is_lost_or_counted_twice(system: System, arena: ArenaServiceStub) -> None:
    people = [Person(arena, address=f"192.0.2.{number}") for number in range(VOTERS)]
    battles = await asyncio.gather(*(person.start() for person in people))
    turns = await asyncio.gather(*(person.stream(battle) for person, battle in zip(people, battles, strict=True)))
    ballots = [turn.battle.ballot for turn in turns]
    before = await audit(arena)
    voting = asyncio.gather(*map(vote_until_stored, people, ballots))
    await restart(system, "arena")
    first = await voting
    again = await asyncio.gather(*map(vote_until_stored, people, ballots))
    assert [battle.vote for battle in again] == [battle.vote for battle in first]
    after = await audit(arena)
    assert after.votes - before.votes == VOTERS
    assert list(after.violations) == []


async def read_to_the_end(events: AsyncIterator[pb.StreamTurnResponse]) -> None:
    async for _ in events:
        pass


async def stream_when_reachable(person: Person, battle: pb.Battle) -> Turn:
    while True:
        try:
            return await person.stream(battle)
        except Unavailable:
            await asyncio.sleep(0.1)


async def vote_until_stored(person: Person, ballot: str) -> pb.Battle:
    while True:
        try:
            return await person.vote(ballot)
        except Unavailable:
            await asyncio.sleep(0.1)


async def audit(stub: ArenaServiceStub) -> pb.AuditArenaResponse:
    response: pb.AuditArenaResponse = await call(stub.AuditArena, pb.AuditArenaRequest(), 30)
    return response
