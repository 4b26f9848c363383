"""GateService: decides about releases, and measures the false alarms of a gate."""

from __future__ import annotations

import grpc.aio

from libra.ranking.gates.gate_event import gate_event
from libra.ranking.queries.gates import GateReader
from libra.store.client import Store
from libra.v1 import gate_pb2_grpc
from libra.v1.gate_pb2 import CalibrateGateRequest, CalibrateGateResponse, CheckGateRequest, CheckGateResponse


class GateService(gate_pb2_grpc.GateServiceServicer):
    """Answers from the store; a release that is stopped is an event for webhooks."""

    def __init__(self, store: Store) -> None:
        self._gates, self._events = GateReader(store), store.events

    async def CheckGate(self, request: CheckGateRequest, context: grpc.aio.ServicerContext) -> CheckGateResponse:
        """Return whether a model keeps what a policy demands."""
        response = await self._gates.check(request)
        if event := gate_event(request, response):
            await self._events.emit(event)
        return response

    async def CalibrateGate(
        self, request: CalibrateGateRequest, context: grpc.aio.ServicerContext
    ) -> CalibrateGateResponse:
        """Return how often the gate stops an unchanged model."""
        return await self._gates.calibrate(request)
