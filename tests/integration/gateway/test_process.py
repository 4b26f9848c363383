"""`python -m libra.gateway` with an API key in its environment and a provider that quotes it everywhere."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libra.bus.nats_bus import NatsBus
from libra.bus.streams import JUDGE_CONSUMER, work_gateway
from libra.local import settings
from libra.local.servers import MongoServer
from libra.rpc.client import call, channel
from libra.stage.bus import Outgoing
from libra.store.client import Store
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, refuses, says
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, Trial, TrialBatch
from libra.v1.completion_pb2 import FinishReason
from libra.v1.gateway_pb2 import CompleteRequest, Conversation, ListModelsRequest
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, Provider

KEY = "sk-proc-93be02f5c1d84a76"
FORMS = ["ok", "400", "401", "404", "500", "html"]


SLOW = "slow"


def quote_key(asked: ReceivedRequest) -> Behaviour:
    """Quote the key in every field."""
    key = asked.headers["authorization"]
    if asked.prompt.isdecimal():
        return refuses(int(asked.prompt), message=f"what is {key}?")
    if asked.prompt == "html":
        return Behaviour(f"<html>{key}</html>".encode())
    return says(f"you sent {key}", after_seconds=1.5 if asked.prompt == SLOW else 0)


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(quote_key) as made:
        yield made


def start(log: Path, nats_url: str, mongo_url: str, database: str) -> subprocess.Popen[bytes]:
    variables = {
        "LIBRA_NATS_URL": nats_url,
        "LIBRA_MONGO_URL": mongo_url,
        "LIBRA_MONGO_DATABASE": database,
        "LIBRA_GATEWAY_LISTEN": "127.0.0.1:0",
        "LIBRA_GATEWAY_METRICS_LISTEN": "127.0.0.1:0",
        "LIBRA_LOG_LEVEL": "debug",
        "LIBRA_GATEWAY_ALLOWED_NETWORKS": "loopback",
        "LIBRA_GATEWAY_RETRY_BASE_SECONDS": "0.01",
        "LIBRA_GATEWAY_RETRY_ATTEMPTS": "2",
        "QUOTING_API_KEY": KEY,
    }
    command = [sys.executable, "-m", "libra.gateway"]
    with log.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, env=settings.inherited_environment() | variables)


async def log_line(log: Path, action: str) -> dict[str, int]:
    """Wait for the log line with this action."""
    async with asyncio.timeout(40):
        while True:
            for text in log.read_text().splitlines(keepends=True):
                if f'"{action}"' in text and text.endswith("\n"):
                    found: dict[str, int] = json.loads(text)
                    return found
            await asyncio.sleep(0.05)


async def received(bus: NatsBus) -> CompletionBatch:
    async with asyncio.timeout(30):
        while not (deliveries := await bus.pull(JUDGE_CONSUMER, 1)):
            pass
    await deliveries[0].ack()
    return CompletionBatch.FromString(deliveries[0].data)


def batch(*texts: str) -> TrialBatch:
    trials = [Trial(sample=place, messages=[Message(role="user", content=text)]) for place, text in enumerate(texts)]
    return TrialBatch(header=BatchHeader(run="run", model="quoting", task="t@1", attack="none"), trials=trials)


async def send(bus: NatsBus, *texts: str) -> None:
    data = batch(*texts).SerializeToString()
    await bus.publish(Outgoing(work_gateway("quoting"), f"key/{texts}", data), {})


async def test_the_process_works_stops_cleanly_and_never_shows_the_key(
    nats_url: str, mongo_server: MongoServer, store: Store, database: str, provider: ScriptedProvider, tmp_path: Path
) -> None:
    model = Model(
        name="quoting", provider=Provider.PROVIDER_OPENAI, base_url=provider.url, api_key_env="QUOTING_API_KEY"
    )
    await store.models.add(model)
    log = tmp_path / "gateway.log"
    process = start(log, nats_url, mongo_server.url, database)
    bus = await NatsBus.connect(nats_url, name="test")
    try:
        await log_line(log, "process_ready")
        ports = await log_line(log, "process_started")
        await send(bus, *FORMS)
        outputs = [str(await received(bus))]
        async with channel(f"127.0.0.1:{ports['grpc_port']}") as opened:
            stub = GatewayServiceStub(opened)
            conversations = [Conversation(messages=[Message(role="user", content=text)], epoch=1) for text in FORMS]
            outputs.append(str(await call(stub.ListModels, ListModelsRequest(), 10)))
            outputs.append(
                str(await call(stub.Complete, CompleteRequest(model="quoting", conversations=conversations), 30))
            )
        url = f"http://127.0.0.1:{ports['metrics_port']}/metrics"
        outputs.append(await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=10).read().decode()))
        assert 'libra_provider_requests_total{model="quoting",outcome="answered"} 2.0' in outputs[-1]

        await send(bus, SLOW)
        async with asyncio.timeout(20):
            while provider.requests[-1].prompt != SLOW:
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        last = await received(bus)
        assert last.trials[0].completion.finish_reason == FinishReason.FINISH_REASON_STOP
        assert await asyncio.to_thread(process.wait, 30) == 0
    finally:
        process.kill()
        await bus.close()
    outputs += [str(last), log.read_text()]
    for name in await store._database.list_collection_names():
        outputs += [str(document) async for document in store._database[name].find()]
    assert {asked.headers["authorization"] for asked in provider.requests} == {f"Bearer {KEY}"}
    assert len(outputs) > len(FORMS)
    assert not [text for text in outputs for start in range(len(KEY) - 7) if KEY[start : start + 8] in text]
