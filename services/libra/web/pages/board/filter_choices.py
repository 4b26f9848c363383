"""Loads the choices of the board's filters from the services."""

from __future__ import annotations

from dataclasses import dataclass

from libra.core.errors import NotFound
from libra.v1.arena_pb2 import GetRatingsRequest, GetRatingsResponse
from libra.v1.arena_pb2_grpc import ArenaServiceStub
from libra.v1.gateway_pb2 import ListModelsRequest
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.model_pb2 import Provider
from libra.v1.ranking_pb2 import Estimate
from libra.v1.round_pb2 import ListRoundsRequest, Round
from libra.v1.round_pb2_grpc import RoundServiceStub
from libra.v1.run_pb2 import ListRunsRequest, Run
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.web.backend import Backend
from libra.web.unavailable import Part

RUNS_SHOWN = 100
"""Runs that the filter offers; the URL takes any."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of the filters; empty if the service is away."""

    runs: list[Run]
    rounds: list[Round]


async def load_references(backend: Backend) -> frozenset[str]:
    """Return the names of the reference models; none while the gateway is away."""
    part: Part[object] = await backend.attempt(GatewayServiceStub, "ListModels", ListModelsRequest())
    found = getattr(part.value, "models", ())
    return frozenset(each.model.name for each in found if each.model.provider == Provider.PROVIDER_SCRIPTED)


async def load_ratings(backend: Backend) -> Part[dict[str, Estimate]]:
    """Return the ratings of the arena for safety, by model; empty while it has no votes."""
    part: Part[GetRatingsResponse] = await backend.attempt(ArenaServiceStub, "GetRatings", GetRatingsRequest())
    if part.value is None:
        return Part(absence=part.absence)
    return Part({each.model: each.rating for each in part.value.ratings if each.HasField("rating")})


async def load_choices(backend: Backend) -> Choices:
    """Return the newest runs and the rounds."""
    runs = await backend.attempt(RunServiceStub, "ListRuns", ListRunsRequest(page_size=RUNS_SHOWN))
    rounds = await backend.attempt(RoundServiceStub, "ListRounds", ListRoundsRequest())
    return Choices(list(runs.value.runs) if runs.value else [], list(rounds.value.rounds) if rounds.value else [])


async def find_newest_run(backend: Backend) -> str:
    """Return the id of the newest run; raise NotFound if there is none."""
    runs = (await backend.call(RunServiceStub, "ListRuns", ListRunsRequest(page_size=1))).runs
    if not runs:
        raise NotFound("there is no run yet; `libra run create` starts one", field="run")
    return str(runs[0].id)
