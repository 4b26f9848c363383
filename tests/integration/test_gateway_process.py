"""`python -m libra.gateway` with a key in its environment and a provider that quotes it wherever it can."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from libra.bus.connection import NatsBus
from libra.bus.streams import JUDGE_CONSUMER, work_gateway
from libra.local.servers import MongoServer
from libra.rpc.client import call, channel
from libra.stage.bus import Outgoing
from libra.store.client import Store
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, Trial, TrialBatch
from libra.v1.completion_pb2 import FinishReason
from libra.v1.gateway_pb2 import CompleteRequest, Conversation, ListModelsRequest
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, Provider

KEY = "sk-proc-93be02f5c1d84a76"
FORMS = ["ok", "400", "401", "404", "500", "html"]


@dataclass
class Gossip:
    """Quotes the key it was given; a question "slow" is answered when it may be."""

    url: str = ""
    keys: set[str] = field(default_factory=set)
    slow: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        text = (await request.json())["messages"][-1]["content"]
        key = request.headers["Authorization"]
        self.keys.add(key)
        if text == "slow":
            self.slow.set()
            await self.go.wait()
        if text.isdecimal():
            return web.json_response({"error": {"message": f"what is {key}?"}}, status=int(text))
        if text == "html":
            return web.Response(text=f"<html>{key}</html>")
        said = {"role": "assistant", "content": f"you sent {key}"}
        return web.json_response({"choices": [{"message": said, "finish_reason": "stop"}]})


@pytest.fixture
async def gossip() -> AsyncIterator[Gossip]:
    made = Gossip()
    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", made.serve)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield made
    await runner.cleanup()


def start(log: Path, nats_url: str, mongo_url: str, database: str) -> subprocess.Popen[bytes]:
    variables = {
        "LIBRA_NATS_URL": nats_url,
        "LIBRA_MONGO_URL": mongo_url,
        "LIBRA_MONGO_DATABASE": database,
        "LIBRA_GATEWAY_LISTEN": "127.0.0.1:0",
        "LIBRA_GATEWAY_METRICS_LISTEN": "127.0.0.1:0",
        "LIBRA_LOG_LEVEL": "debug",
        "LIBRA_GATEWAY_RETRY_BASE_SECONDS": "0.01",
        "LIBRA_GATEWAY_RETRY_ATTEMPTS": "2",
        "GOSSIP_KEY": KEY,
    }
    command = [sys.executable, "-m", "libra.gateway"]
    with log.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **variables})


async def line(log: Path, action: str) -> dict[str, int]:
    """Return the line of the log with this action, once it is there."""
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
    return TrialBatch(header=BatchHeader(run="run", model="gossip", task="t@1", attack="none"), trials=trials)


async def send(bus: NatsBus, *texts: str) -> None:
    data = batch(*texts).SerializeToString()
    await bus.publish(Outgoing(work_gateway("gossip"), f"key/{texts}", data), {})


async def test_it_works_stops_cleanly_and_never_tells_the_key(
    nats_url: str, mongo_server: MongoServer, store: Store, database: str, gossip: Gossip, tmp_path: Path
) -> None:
    entry = Model(name="gossip", provider=Provider.PROVIDER_OPENAI, base_url=gossip.url, api_key_env="GOSSIP_KEY")
    await store.models.add(entry)
    log = tmp_path / "gateway.log"
    process = start(log, nats_url, mongo_server.url, database)
    bus = await NatsBus.connect(nats_url, name="test")
    try:
        await line(log, "process_ready")
        ports = await line(log, "process_started")
        await send(bus, *FORMS)
        told = [str(await received(bus))]
        async with channel(f"127.0.0.1:{ports['grpc_port']}") as opened:
            stub = GatewayServiceStub(opened)
            asked = [Conversation(messages=[Message(role="user", content=text)], epoch=1) for text in FORMS]
            told.append(str(await call(stub.ListModels, ListModelsRequest(), 10)))
            told.append(str(await call(stub.Complete, CompleteRequest(model="gossip", conversations=asked), 30)))
        url = f"http://127.0.0.1:{ports['metrics_port']}/metrics"
        told.append(await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=10).read().decode()))
        assert 'libra_provider_requests_total{model="gossip",outcome="answered"} 2.0' in told[-1]

        await send(bus, "slow")
        await asyncio.wait_for(gossip.slow.wait(), 20)
        process.send_signal(signal.SIGTERM)
        await line(log, "process_stopping")
        gossip.go.set()
        last = await received(bus)
        assert last.trials[0].completion.finish_reason == FinishReason.FINISH_REASON_STOP
        assert await asyncio.to_thread(process.wait, 30) == 0
    finally:
        process.kill()
        await bus.close()
    told += [str(last), log.read_text()]
    for name in await store._database.list_collection_names():
        told += [str(document) async for document in store._database[name].find()]
    assert gossip.keys == {f"Bearer {KEY}"}
    assert len(told) > len(FORMS)
    assert not [text for text in told for start in range(len(KEY) - 7) if KEY[start : start + 8] in text]
