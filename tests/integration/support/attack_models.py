"""The model stage with a real gateway, a real mongod, and three models over HTTP: attacker, judge and target."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry
from tests.integration.support.serving import serve, serve_gateway

from libra.attack.model_client import ConnectModels, GatewayClient
from libra.attack.model_stage import model_stage
from libra.attack.service import AttackService
from libra.attack.settings import Settings
from libra.gateway.components import Components
from libra.gateway.model_channel import ModelChannel
from libra.gateway.settings import Settings as GatewaySettings
from libra.gateway.stage import TrialHandler
from libra.stage.bus import Outgoing
from libra.stage.ended_runs import EndedRuns
from libra.stage.stage import Stage
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says
from libra.v1.attack_pb2_grpc import AttackServiceStub, add_AttackServiceServicer_to_server
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, Trial, TrialBatch
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelPrice, Provider

WRITER, TARGET, JUDGE = "writer", "target", "judge-1"
FAST_GATEWAY = GatewaySettings(retry_attempts=1, retry_base_seconds=0.01, look_seconds=0.1, allowed_networks="loopback")
FENCED = re.compile(r"<<<message ([0-9a-f]{16})\n(.*?)\nmessage \1>>>", re.DOTALL)


def default_script(request: ReceivedRequest) -> Behaviour:
    """Answer as a writer that serves any attack, a target that repeats the prompt, or a judge that gives low scores."""
    system = str(request.body["messages"][0]["content"])
    if request.model == TARGET:
        return says(f"<think>hm</think>Well: {request.prompt}")
    if request.model == JUDGE:
        return says(json.dumps({"reason": "not yet", "refused": False, "score": 2, "on_topic": True}))
    if "JSON" in system:
        number = request.number
        return says(json.dumps({"question": f"And {number}?", "prompt": f"Try {number}.", "reason": "so"}))
    found = FENCED.search(request.prompt)
    return says(f"<text>written: {found[2] if found else ''}</text>")


@dataclass
class AttackSetup:
    """The model stage, AttackService and the gateway with scripted models, whose requests are recorded."""

    store: Store
    script: Callable[[ReceivedRequest], Behaviour] = default_script
    components: Components = field(init=False)
    service: AttackServiceStub = field(init=False)
    stage: Stage[TrialBatch] = field(init=False)

    def __post_init__(self) -> None:
        self.provider = ScriptedProvider(self.follow_script)

    def follow_script(self, request: ReceivedRequest) -> Behaviour:
        """Answer by the current script, which a test may replace."""
        return self.script(request)

    def requests_to(self, model: str) -> list[ReceivedRequest]:
        return [request for request in self.provider.requests if request.model == model]

    async def rewrite(self, batch: TrialBatch) -> list[Outgoing]:
        async with asyncio.timeout(60):
            return list(await self.stage.handle(batch))

    async def complete(self, batch: TrialBatch) -> CompletionBatch:
        """Return the output of the gateway's stage for a batch."""
        trials = TrialHandler(
            self.components.models,
            self.components.completer,
            self.components.ended_runs,
            ModelChannel(Model(name="target"), Metrics(CollectorRegistry())),
        )
        (sent,) = await trials.handle(batch)
        return CompletionBatch.FromString(sent.data)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[AttackSetup]:
        self.components = Components.create(self.store, Metrics(CollectorRegistry()), FAST_GATEWAY, {})
        async with self.provider, serve_gateway(self.components, close_seconds=1) as opened:
            openai, price = Provider.PROVIDER_OPENAI, ModelPrice(usd_per_million_prompt_tokens=1e6)
            for name in (WRITER, TARGET, JUDGE):
                model = Model(name=name, provider=openai, base_url=self.provider.url, price=price)
                await self.store.models.add(model)
            connect = GatewayClient(opened, 30.0, 16).connect
            self.stage = model_stage(Settings(), connect, EndedRuns(self.store.runs.get_state, 0.05))
            async with attack_service(connect) as self.service:
                yield self


@asynccontextmanager
async def attack_service(connect: ConnectModels) -> AsyncIterator[AttackServiceStub]:
    served = (add_AttackServiceServicer_to_server, AttackService(connect), "libra.v1.AttackService")
    async with serve(served) as opened:
        yield AttackServiceStub(opened)


def batch(attack: str, trials: int = 2, **header: Any) -> TrialBatch:
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
    head.MergeFrom(BatchHeader(**header))
    return TrialBatch(
        header=head,
        trials=[
            Trial(
                sample=index // 2,
                epoch=index % 2,
                messages=[
                    Message(role="system", content="Be brief."),
                    Message(role="user", content=f"How do magnets work, part {index // 2}?"),
                ],
                fields={"topic": "physics"},
            )
            for index in range(trials)
        ],
    )
