"""A gateway over real gRPC, a real mongod, and three models over real HTTP: who writes for attacks, who judges, who is attacked."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from libra.attack.model_client import Between, Gateway
from libra.attack.model_stage import writing
from libra.attack.service import AttackService
from libra.attack.settings import Settings
from libra.gateway.components import Components
from libra.gateway.limits.trial_budget import TrialBudget
from libra.gateway.service import GatewayService
from libra.gateway.settings import Settings as GatewaySettings
from libra.gateway.stage import Trials
from libra.rpc.client import channel
from libra.rpc.server import Server
from libra.stage.bus import Outgoing
from libra.stage.ended_runs import EndedRuns
from libra.stage.stage import Stage
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says
from libra.v1.attack_pb2_grpc import AttackServiceStub, add_AttackServiceServicer_to_server
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, Trial, TrialBatch
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.gateway_pb2_grpc import add_GatewayServiceServicer_to_server
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelPrice, Provider

WRITER, TARGET, JUDGE = "writer", "target", "judge-1"
QUICK = GatewaySettings(retry_attempts=1, retry_base_seconds=0.01, look_seconds=0.1)
FENCED = re.compile(r"<<<message ([0-9a-f]{16})\n(.*?)\nmessage \1>>>", re.DOTALL)


def says_in_turn(asked: ReceivedRequest) -> Behaviour:
    """A writer that does what any attack wants, a target that repeats, a judge that is never content."""
    system = str(asked.body["messages"][0]["content"])
    if asked.model == TARGET:
        return says(f"<think>hm</think>Well: {asked.prompt}")
    if asked.model == JUDGE:
        return says(json.dumps({"reason": "not yet", "refused": False, "score": 2, "on_topic": True}))
    if "JSON" in system:
        return says(json.dumps({"question": f"And {asked.number}?", "prompt": f"Try {asked.number}.", "reason": "so"}))
    found = FENCED.search(asked.prompt)
    return says(f"<text>written: {found[2] if found else ''}</text>")


@dataclass
class Models:
    """The writing stage before a gateway, and what the models were asked."""

    store: Store
    script: Callable[[ReceivedRequest], Behaviour] = says_in_turn
    desk: Components = field(init=False)
    service: AttackServiceStub = field(init=False)
    stage: Stage[TrialBatch] = field(init=False)

    def __post_init__(self) -> None:
        self.provider = ScriptedProvider(self.says)

    def says(self, asked: ReceivedRequest) -> Behaviour:
        """Follow the script as it stands now."""
        return self.script(asked)

    def asked(self, model: str) -> list[ReceivedRequest]:
        return [asked for asked in self.provider.asked if asked.model == model]

    async def written(self, batch: TrialBatch) -> list[Outgoing]:
        async with asyncio.timeout(60):
            return list(await self.stage.handle(batch))

    async def answered(self, batch: TrialBatch) -> CompletionBatch:
        """Return what the gateway's own stage makes of a batch."""
        trials = Trials(self.desk.entries, self.desk.completions, self.desk.ended, TrialBudget(lambda: 64))
        (sent,) = await trials.handle(batch)
        return CompletionBatch.FromString(sent.data)

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Models]:
        self.desk = Components.laid(self.store, Metrics(CollectorRegistry()), QUICK, {})
        served = (add_GatewayServiceServicer_to_server, GatewayService(self.desk), "libra.v1.GatewayService")
        server = Server([served], Metrics(CollectorRegistry()))
        port = await server.start("127.0.0.1:0")
        await server.set_ready(ready=True)
        async with self.provider, channel(f"127.0.0.1:{port}") as opened:
            openai, price = Provider.PROVIDER_OPENAI, ModelPrice(usd_per_million_prompt_tokens=1e6)
            for name in (WRITER, TARGET, JUDGE):
                model = Model(name=name, provider=openai, base_url=self.provider.url, price=price)
                await self.store.models.add(model)
            between = Gateway(opened, 30.0, 16).between
            self.stage = writing(Settings(), between, EndedRuns(self.store.runs.get_state, 0.05))
            async with attack_service(between) as self.service:
                yield self
            await self.desk.close(1)
            await server.stop(0)


@asynccontextmanager
async def attack_service(between: Between) -> AsyncIterator[AttackServiceStub]:
    served = (add_AttackServiceServicer_to_server, AttackService(between), "libra.v1.AttackService")
    server = Server([served], Metrics(CollectorRegistry()))
    port = await server.start("127.0.0.1:0")
    await server.set_ready(ready=True)
    async with channel(f"127.0.0.1:{port}") as opened:
        yield AttackServiceStub(opened)
    await server.stop(0)


def batch(attack: str, trials: int = 2, **header: object) -> TrialBatch:
    head = BatchHeader(
        run="run",
        model=TARGET,
        task="magnets@0123456789ab",
        attack=attack,
        seed=7,
        parameters=GenerationParameters(temperature=0.5, max_tokens=77),
        attack_model=WRITER,
        attack_judge_model=JUDGE,
    )
    head.MergeFrom(BatchHeader(**header))  # type: ignore[arg-type]  # whatever a test gives, by name
    return TrialBatch(
        header=head,
        trials=[
            Trial(
                sample=place // 2,
                epoch=place % 2,
                messages=[
                    Message(role="system", content="Be brief."),
                    Message(role="user", content=f"How do magnets work, part {place // 2}?"),
                ],
                fields={"topic": "physics"},
            )
            for place in range(trials)
        ],
    )
