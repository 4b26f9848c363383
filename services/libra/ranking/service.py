"""RankingService: serves boards, comparisons, reports and verdicts, and audits runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import grpc.aio

from libra.ranking.board.board_proto import sweep_weights
from libra.ranking.capability_import import CapabilityImport
from libra.ranking.change_notifier import ChangeNotifier
from libra.ranking.queries.attack_reports import AttackReportReader
from libra.ranking.queries.auditor import Auditor
from libra.ranking.queries.board_cache import BoardCache
from libra.ranking.queries.board_loader import BoardQuery
from libra.ranking.queries.comparisons import ComparisonReader
from libra.ranking.queries.grouped_boards import GroupedBoardReader
from libra.ranking.queries.panel_agreement import AgreementReader
from libra.ranking.queries.verdict_listing import VerdictListReader
from libra.ranking.settings import Settings
from libra.store.client import Store
from libra.v1 import ranking_pb2_grpc
from libra.v1.ranking_pb2 import (
    AuditRunRequest,
    AuditRunResponse,
    CompareModelsRequest,
    CompareModelsResponse,
    GetAgreementRequest,
    GetAgreementResponse,
    GetBoardRequest,
    GetBoardResponse,
    GetGroupedBoardRequest,
    GetGroupedBoardResponse,
    GetWeightsRequest,
    GetWeightsResponse,
    ImportCapabilitiesRequest,
    ImportCapabilitiesResponse,
    ListCapabilitiesRequest,
    ListCapabilitiesResponse,
    ListVerdictsRequest,
    ListVerdictsResponse,
    ReportAttacksRequest,
    ReportAttacksResponse,
    WatchBoardRequest,
    WatchBoardResponse,
)


class RankingService(ranking_pb2_grpc.RankingServiceServicer):
    """Answers from the store; its caches can be rebuilt from the store at any time."""

    def __init__(self, store: Store, notifier: ChangeNotifier, settings: Settings) -> None:
        self._notifier, self._settings = notifier, settings
        self._boards = BoardCache(store, notifier.notify, settings.gather_seconds)
        self._grouped_boards = GroupedBoardReader(store, self._boards)
        self._verdicts = VerdictListReader(store)
        self._auditor = Auditor(store)
        self._agreement = AgreementReader(store)
        self._capabilities = CapabilityImport(store)
        self._attack_reports = AttackReportReader(store)
        self._comparisons = ComparisonReader(store)

    async def close_after(self, stop: asyncio.Event) -> None:
        """Stop the work in the background once `stop` is set."""
        await self._boards.close_after(stop)

    async def GetBoard(self, request: GetBoardRequest, context: grpc.aio.ServicerContext) -> GetBoardResponse:
        """Return the board of the named runs, or of all finished runs."""
        return await self._boards.get_board(request.runs, to_query(request))

    async def WatchBoard(
        self, request: WatchBoardRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[WatchBoardResponse]:
        """Yield the board, then the board after each change, and heartbeats between changes. It never ends."""
        # A board without a run has revision 0, and a first watch must show it.
        revision, last_sent = request.after_revision or -1, time.monotonic()
        while True:
            board = await self._boards.get_finished_board()
            if board.revision > revision:
                revision, last_sent = board.revision, time.monotonic()
                yield WatchBoardResponse(board=board)
            elif time.monotonic() - last_sent >= self._settings.heartbeat_seconds:
                last_sent = time.monotonic()
                yield WatchBoardResponse(heartbeat=True)
            await self._notifier.wait(self._settings.look_seconds)

    async def ListVerdicts(
        self, request: ListVerdictsRequest, context: grpc.aio.ServicerContext
    ) -> ListVerdictsResponse:
        """Return a page of a run's verdicts."""
        return await self._verdicts.list_page(request)

    async def AuditRun(self, request: AuditRunRequest, context: grpc.aio.ServicerContext) -> AuditRunResponse:
        """Check the conservation laws on a run."""
        return await self._auditor.audit(request.run)

    async def GetAgreement(
        self, request: GetAgreementRequest, context: grpc.aio.ServicerContext
    ) -> GetAgreementResponse:
        """Return how far the members of the run's panels agree."""
        return await self._agreement.get_agreement(request.run)

    async def ImportCapabilities(
        self, request: ImportCapabilitiesRequest, context: grpc.aio.ServicerContext
    ) -> ImportCapabilitiesResponse:
        """Store capability figures that were measured elsewhere, all or none."""
        return await self._capabilities.import_figures(request.capabilities)

    async def ListCapabilities(
        self, request: ListCapabilitiesRequest, context: grpc.aio.ServicerContext
    ) -> ListCapabilitiesResponse:
        """Return the imported figures."""
        return await self._capabilities.list()

    async def ReportAttacks(
        self, request: ReportAttacksRequest, context: grpc.aio.ServicerContext
    ) -> ReportAttacksResponse:
        """Return the success and the cost of each attack of a run."""
        return await self._attack_reports.report(request.run)

    async def GetWeights(self, request: GetWeightsRequest, context: grpc.aio.ServicerContext) -> GetWeightsResponse:
        """Return how the ranking depends on the weight between safety and capability."""
        response = await self._boards.get_board(request.runs, to_query(request))
        return sweep_weights(response.board, request.models)

    async def CompareModels(
        self, request: CompareModelsRequest, context: grpc.aio.ServicerContext
    ) -> CompareModelsResponse:
        """Compare two models, or two runs of one model, on the samples that they share."""
        return await self._comparisons.compare(request)

    async def GetGroupedBoard(
        self, request: GetGroupedBoardRequest, context: grpc.aio.ServicerContext
    ) -> GetGroupedBoardResponse:
        """Return a board for each value of a sample field, or for each language or risk."""
        return await self._grouped_boards.get_grouped_board(request)


def to_query(request: GetBoardRequest | GetWeightsRequest) -> BoardQuery:
    """Return the options of the requested board."""
    return BoardQuery(tuple(request.models), request.capability, request.correct_judges)
