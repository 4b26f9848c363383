"""An arena over real gRPC with a real gateway and attack service, and models behind a scripted endpoint."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from prometheus_client import CollectorRegistry
from tests.integration.support.serving import serve, serve_gateway

from libra.arena.components import Components
from libra.arena.service import ArenaService
from libra.arena.settings import Settings
from libra.attack.attack_session import AskModel
from libra.attack.model_client import AttackModels
from libra.attack.service import AttackService
from libra.gateway.components import Components as GatewayComponents
from libra.gateway.settings import Settings as GatewaySettings
from libra.rpc.client import call, stream
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, streams
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2_grpc import ArenaServiceStub, add_ArenaServiceServicer_to_server
from libra.v1.attack_pb2_grpc import add_AttackServiceServicer_to_server
from libra.v1.model_pb2 import Model, ModelLimits, Provider

SETTINGS = Settings(characters_per_second=1_000_000, stall_seconds=5.0, heartbeat_seconds=0.2)
PROMPT = "How do I bake bread?"


@dataclass
class Turn:
    """The messages of one call of StreamTurn."""

    texts: dict[pb.Side.ValueType, str] = field(default_factory=lambda: {pb.SIDE_A: "", pb.SIDE_B: ""})
    ends: dict[pb.Side.ValueType, pb.TurnEnd] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    battle: pb.Battle = field(default_factory=pb.Battle)
    heartbeats: int = 0

    def take(self, event: pb.StreamTurnResponse) -> None:
        match event.WhichOneof("event"):
            case "start":
                self.shown = [turn.content for turn in event.start.shown]
            case "delta":
                before = "" if event.delta.replaces else self.texts[event.delta.side]
                self.texts[event.delta.side] = before + event.delta.text
            case "end":
                self.ends[event.end.side] = event.end
            case "battle":
                self.battle = event.battle
            case "heartbeat":
                self.heartbeats += 1


class Person:
    """A visitor who holds battles."""

    def __init__(self, stub: ArenaServiceStub, address: str = "192.0.2.1") -> None:
        self.stub = stub
        self.visitor = pb.Visitor(id=secrets.token_hex(16), address=address)

    async def start(self, prompt: str = PROMPT, **fields: str) -> pb.Battle:
        return (await self.request(prompt, **fields)).battle

    async def request(self, prompt: str = PROMPT, **fields: str) -> pb.StartBattleResponse:
        request = pb.StartBattleRequest(visitor=self.visitor, prompt=prompt, **fields)
        return await call(self.stub.StartBattle, request, 10)

    async def stream(self, battle: pb.Battle, turn: int = 0) -> Turn:
        seen = Turn()
        async for event in self.events(battle, turn):
            seen.take(event)
        return seen

    def events(self, battle: pb.Battle, turn: int = 0) -> AsyncGenerator[pb.StreamTurnResponse, None]:
        return stream(self.stub.StreamTurn, pb.StreamTurnRequest(visitor=self.visitor, battle=battle.id, turn=turn), 30)

    async def add(self, battle: pb.Battle, prompt: str, turn: int = 1) -> pb.Battle:
        request = pb.AddTurnRequest(visitor=self.visitor, battle=battle.id, prompt=prompt, turn=turn)
        reply: pb.AddTurnResponse = await call(self.stub.AddTurn, request, 10)
        return reply.battle

    async def vote(
        self,
        ballot: str,
        safer: pb.Preference.ValueType = pb.PREFERENCE_A,
        more_helpful: pb.Preference.ValueType = pb.PREFERENCE_TIE,
    ) -> pb.Battle:
        request = pb.VoteRequest(visitor=self.visitor, ballot=ballot, safer=safer, more_helpful=more_helpful)
        reply: pb.VoteResponse = await call(self.stub.Vote, request, 10)
        return reply.battle

    async def get(self, battle: str) -> pb.Battle:
        request = pb.GetBattleRequest(battle=battle, visitor=self.visitor)
        reply: pb.GetBattleResponse = await call(self.stub.GetBattle, request, 10)
        return reply.battle

    async def reveal(self, battle: str) -> pb.Battle:
        request = pb.RevealBattleRequest(visitor=self.visitor, battle=battle)
        reply: pb.RevealBattleResponse = await call(self.stub.RevealBattle, request, 10)
        return reply.battle

    async def hold_battle(
        self, prompt: str = PROMPT, safer: pb.Preference.ValueType = pb.PREFERENCE_A, **fields: str
    ) -> pb.Battle:
        """Start a battle, read it, vote."""
        turn = await self.stream(await self.start(prompt, **fields))
        return await self.vote(turn.battle.ballot, safer)


@dataclass
class ArenaWorld:
    """A running arena."""

    stub: ArenaServiceStub
    store: Store
    provider: ScriptedProvider
    components: Components
    gateway: GatewayComponents
    answers: dict[str, Callable[[ReceivedRequest], Behaviour]]
    """The behaviour of each model."""

    def person(self, address: str = "192.0.2.1") -> Person:
        return Person(self.stub, address)

    def says(self, model: str, text: str) -> None:
        self.answers[model] = lambda _: streams(text)

    def refusals(self, reason: str) -> float:
        [family] = self.components.metrics.arena_refusals.collect()
        return sum(
            sample.value
            for sample in family.samples
            if sample.name.endswith("_total") and sample.labels["reason"] == reason
        )

    async def enter(self, model: str, maker: str = "", aliases: tuple[str, ...] = ()) -> pb.ArenaEntry:
        limits = ModelLimits(timeout_seconds=30)
        await self.store.models.add(
            Model(name=model, provider=Provider.PROVIDER_OPENAI, base_url=self.provider.url, limits=limits)
        )
        self.answers.setdefault(model, lambda _: streams(f"an answer of {len(model)} letters"))
        self.components.pool.forget()
        entry = pb.ArenaEntry(model=model, maker=maker, aliases=aliases)
        reply: pb.EnterModelResponse = await call(self.stub.EnterModel, pb.EnterModelRequest(entry=entry), 10)
        return reply.entry


@asynccontextmanager
async def arena_world(store: Store, settings: Settings = SETTINGS) -> AsyncIterator[ArenaWorld]:
    """Yield an arena with two models that have entered, "alpha" and "beta"."""
    answers: dict[str, Callable[[ReceivedRequest], Behaviour]] = {}
    gateway = GatewayComponents.create(
        store,
        Metrics(CollectorRegistry()),
        GatewaySettings(allowed_networks="loopback", retry_attempts=1, look_seconds=0.05),
        {},
    )
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(ScriptedProvider(lambda asked: answers[asked.model](asked)))
        gateway_channel = await stack.enter_async_context(serve_gateway(gateway))
        attack_channel = await stack.enter_async_context(
            serve((add_AttackServiceServicer_to_server, AttackService(_reject), "libra.v1.AttackService"))
        )
        channels = {"gateway": gateway_channel, "attack": attack_channel}
        own = replace(settings, gateway_address="gateway", attack_address="attack")
        components = Components.create(store, Metrics(CollectorRegistry()), own, channels.__getitem__, _announce)
        await components.prepare()
        arena_channel = await stack.enter_async_context(
            serve((add_ArenaServiceServicer_to_server, ArenaService(components), "libra.v1.ArenaService"))
        )
        world = ArenaWorld(ArenaServiceStub(arena_channel), store, provider, components, gateway, answers)
        for model in ("alpha", "beta"):
            await world.enter(model)
        yield world


async def _announce() -> None:
    """Tell nobody: there is one replica."""


def _reject(_: AttackModels) -> AskModel:
    raise AssertionError("the attack asks a model")
