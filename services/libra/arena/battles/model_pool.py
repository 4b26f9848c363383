"""The models that can be chosen for a battle now, and why the others cannot."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import grpc.aio

from libra.arena.battles.identity_mask import IdentityMask, identifying_words
from libra.rpc.client import call
from libra.store.arena.arena_entries import EntryCollection
from libra.v1.arena_pb2 import ArenaEntry, LeftOutModel
from libra.v1.gateway_pb2 import ListModelsRequest, ModelStatus
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.model_pb2 import MODEL_STATE_PARKED, MODEL_STATE_UNUSABLE, Model

CURRENT_SECONDS = 2.0
TIMEOUT_SECONDS = 10.0
DEFAULT_MAX_IN_FLIGHT = 8
PAGE_SIZE = 1_000


@dataclass(frozen=True, slots=True)
class Lineup:
    """The entries at one moment."""

    eligible: Sequence[str]
    """The models that can be chosen, in order of name."""

    left_out: Sequence[LeftOutModel]
    """The others that take part, with the reason."""


class ModelPool:
    """Joins the entries with what the gateway knows of their models."""

    def __init__(self, channel: grpc.aio.Channel, entries: EntryCollection, failure_seconds: float) -> None:
        self._gateway = GatewayServiceStub(channel)
        self._entries, self._failure_seconds = entries, failure_seconds
        self._statuses: dict[str, ModelStatus] = {}
        self._listed: list[ArenaEntry] = []
        self._until = 0.0
        self._failed_at: dict[str, float] = {}

    async def lineup(self) -> Lineup:
        """Return which models can be chosen. Raises Unavailable."""
        await self._refresh()
        eligible, left_out = [], []
        for entry in self._listed:
            if entry.HasField("leave_time"):
                continue
            if reason := self.problem_of(entry.model):
                left_out.append(LeftOutModel(model=entry.model, reason=reason))
            else:
                eligible.append(entry.model)
        return Lineup(eligible, left_out)

    def problem_of(self, model: str) -> str:
        """Return why a model cannot be chosen, by what was last read; "" if it can."""
        status = self._statuses.get(model)
        if status is None:
            return "it is not registered any more"
        if status.health.state == MODEL_STATE_PARKED:
            return f"it is parked: {status.health.error}"
        if status.problem or status.health.state == MODEL_STATE_UNUSABLE:
            return f"it cannot be used: {status.problem or status.health.error}"
        limit = status.model.limits.max_in_flight or DEFAULT_MAX_IN_FLIGHT
        if status.health.in_flight >= limit:
            return f"it is at its limit of {limit} requests in flight"
        failed_at = self._failed_at.get(model)
        if failed_at is not None and time.monotonic() - failed_at < self._failure_seconds:
            return "it failed in a battle a moment ago"
        return ""

    def mark_failed(self, model: str) -> None:
        """Leave a model out of the next pairs."""
        self._failed_at[model] = time.monotonic()

    def forget(self) -> None:
        """Read entries and models again at the next use."""
        self._until = 0.0

    async def entries(self) -> Mapping[str, ArenaEntry]:
        """Return all entries by model, with their problems. Raises Unavailable."""
        await self._refresh()
        shown = {}
        for entry in self._listed:
            copy = shown[entry.model] = ArenaEntry()
            copy.CopyFrom(entry)
            if not entry.HasField("leave_time"):
                copy.problem = self.problem_of(entry.model)
        return shown

    async def find_model(self, model: str) -> Model | None:
        """Return a registered model; None if there is none of this name. Raises Unavailable."""
        reply = await call(self._gateway.ListModels, ListModelsRequest(name=model), TIMEOUT_SECONDS)
        return reply.models[0].model if reply.models else None

    async def masks(self, model_a: str, model_b: str) -> tuple[IdentityMask, IdentityMask]:
        """Return the masks of both sides. Raises Unavailable."""
        await self._refresh()
        entries = {name: ArenaEntry(model=name) for name in (model_a, model_b)}
        entries |= {entry.model: entry for entry in self._listed}
        words = {name: identifying_words(self._model(name), entry) for name, entry in entries.items()}
        every = set[str]().union(*words.values())
        return IdentityMask.create(words[model_a], every), IdentityMask.create(words[model_b], every)

    def _model(self, name: str) -> Model:
        status = self._statuses.get(name)
        return status.model if status is not None else Model(name=name)

    async def _refresh(self) -> None:
        if time.monotonic() < self._until:
            return
        statuses: dict[str, ModelStatus] = {}
        token = ""
        while True:
            request = ListModelsRequest(page_size=PAGE_SIZE, page_token=token)
            reply = await call(self._gateway.ListModels, request, TIMEOUT_SECONDS)
            statuses |= {status.model.name: status for status in reply.models}
            token = reply.next_page_token
            if not token:
                break
        self._listed, self._statuses = await self._entries.list(), statuses
        self._until = time.monotonic() + CURRENT_SECONDS
