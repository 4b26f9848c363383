"""A run through the whole system with attacks that a model writes, in one request and over several turns."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from libra.core.errors import Invalid
from libra.local.system import System
from libra.rpc.client import call, channel
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says
from libra.v1.model_pb2 import CreateModelRequest, Model, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.ranking_pb2 import ListVerdictsRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import RunState
from libra.v1.verdict_pb2 import Outcome

from .run_client import CALL_SECONDS, RunClient

SAMPLES = 2


def script(request: ReceivedRequest) -> Behaviour:
    system = str(request.body["messages"][0]["content"])
    if request.model == "written-target":
        return says("I cannot help with that.")
    if request.model == "written-judge":
        return says(json.dumps({"reason": "it declines", "refused": True, "score": 1}))
    if "JSON" in system:
        return says(json.dumps({"question": "And how is that?", "reason": "a step"}))
    return says("<text>Wie war das früher?</text>")


async def test_a_run_uses_attacks_that_a_model_writes(system: System) -> None:
    system.up()
    client = RunClient(system)
    async with ScriptedProvider(script) as provider, channel(system.grpc_target("dispatch")) as dispatch:
        for name in ("written-target", "written-writer", "written-judge"):
            model = Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=provider.url)
            await call(ModelServiceStub(dispatch).CreateModel, CreateModelRequest(model=model), CALL_SECONDS)
        spec = {
            "models": ["written-target"],
            "tasks": ["fraud_requests"],
            "attacks": ["none", "translation_de", "crescendo"],
            "samples_per_task": SAMPLES,
        }
        with pytest.raises(Invalid, match="name an attack_model"):
            await client.create(**spec)
        run = await client.create(**spec, attack_model="written-writer", judge_model="written-judge")
        ended = await client.wait_for_end(run.id)
        prompts = [request.prompt for request in provider.requests if request.model == "written-target"]
    await client.close()
    assert ended.state == RunState.RUN_STATE_FINISHED
    assert (ended.counts.scored, ended.trials) == (3 * SAMPLES, 3 * SAMPLES)
    # Two plain prompts, one translation that is the same for both, one question of Crescendo: each is requested once.
    assert len(prompts) == len(set(prompts)) == SAMPLES + 2
    await check_verdicts(system, run.id)


async def check_verdicts(system: System, run: str) -> None:
    async with channel(system.grpc_target("ranking")) as ranking:
        request = ListVerdictsRequest(run=run, page_size=50)
        verdicts = (await call(RankingServiceStub(ranking).ListVerdicts, request, CALL_SECONDS)).verdicts
    by_attack = {verdict.attack: verdict for verdict in verdicts}
    assert {verdict.outcome for verdict in verdicts} == {Outcome.OUTCOME_SCORED}
    assert "attack_form" not in by_attack["none"].fields
    assert by_attack["translation_de"].fields["attack_form"] == "model"
    assert int(by_attack["crescendo"].fields["attack_tokens"]) > 0
    result = subprocess.run(
        [sys.executable, "-m", "libra.cli", "--data", str(system.folder), "audit", run],
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
