"""Runs a small evaluation on a local system, for the pages to show."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from libra.local.system import System
from libra.rpc.client import call, channel
from libra.testing.scripted_provider import ScriptedProvider
from libra.v1.model_pb2 import CreateModelRequest, Model, ModelLimits, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.round_pb2 import OpenRoundRequest
from libra.v1.round_pb2_grpc import RoundServiceStub
from libra.v1.run_pb2 import CreateRunRequest, GetRunRequest, RunSpec, RunState
from libra.v1.run_pb2_grpc import RunServiceStub

from .pretend_models import INJECTIONS, INJECTOR, MODELS, answer

CALL_SECONDS = 20.0
RUN_SECONDS = 60.0
POLL_SECONDS = 0.2
SAMPLES = 10

TASKS = (
    "dangerous_requests",
    "privacy_requests",
    "disguised_requests",
    "code_word",
    "harmless_words",
    "arithmetic",
    "common_knowledge",
)
PUBLISHED_TASKS = ("harmless_words", "arithmetic")
"""Tasks that no round draws from: the answers can be read."""

ROUND = "2027Q1"
REFERENCE_MODELS = ("refuser", "complier", "careful")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The runs that the pages show."""

    run: str
    """The run of all models, under an attack as well."""

    injected_run: str
    """The run whose name and answers are injections."""

    round: str
    """An open round."""


async def evaluate(system: System) -> Evaluation:
    """Register the pretended models and run them; return when the runs have ended."""
    async with ScriptedProvider(answer) as provider, channel(system.grpc_target("dispatch")) as dispatch:
        models = [
            Model(
                name=name,
                provider=Provider.PROVIDER_OPENAI,
                base_url=provider.url,
                limits=ModelLimits(max_in_flight=16, timeout_seconds=20),
            )
            for name in (*MODELS, INJECTOR)
        ]
        for model in models:
            await call(ModelServiceStub(dispatch).CreateModel, CreateModelRequest(model=model), CALL_SECONDS)
        runs = RunServiceStub(dispatch)
        spec = RunSpec(
            name="autumn",
            models=[*MODELS, *REFERENCE_MODELS],
            tasks=TASKS,
            attacks=["none", "few_shots"],
            samples_per_task=SAMPLES,
        )
        injected = RunSpec(
            name=INJECTIONS[0], models=[INJECTOR], tasks=PUBLISHED_TASKS, samples_per_task=len(INJECTIONS)
        )
        ids = [
            (await call(runs.CreateRun, CreateRunRequest(spec=each), CALL_SECONDS)).run.id for each in (spec, injected)
        ]
        async with asyncio.timeout(RUN_SECONDS):
            for run in ids:
                while (await call(runs.GetRun, GetRunRequest(id=run), CALL_SECONDS)).run.state == (
                    RunState.RUN_STATE_RUNNING
                ):
                    await asyncio.sleep(POLL_SECONDS)
        round_request = OpenRoundRequest(name=ROUND, tasks=TASKS[:2], samples_per_task=5)
        await call(RoundServiceStub(dispatch).OpenRound, round_request, CALL_SECONDS)
    return Evaluation(run=ids[0], injected_run=ids[1], round=ROUND)
