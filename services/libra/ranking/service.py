"""RankingService: serve boards and verdicts, and audit runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import grpc.aio

from libra.ranking.agreement import Agreements
from libra.ranking.board.weight_sweep import weighed
from libra.ranking.capability_import import Capabilities
from libra.ranking.change_notifier import ChangeNotifier
from libra.ranking.queries.attack_reports import AttackReports
from libra.ranking.queries.auditor import Auditor
from libra.ranking.queries.boards import BoardQuery, Boards
from libra.ranking.queries.comparisons import Comparisons
from libra.ranking.queries.grouped_boards import GroupedBoards
from libra.ranking.queries.verdict_listing import Listing
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
    """Answers from the store; what it keeps in memory, it can read again."""

    def __init__(self, store: Store, bell: ChangeNotifier, settings: Settings) -> None:
        self._bell, self._settings = bell, settings
        self._boards = Boards(store, bell.ring, settings.gather_seconds)
        self._listing, self._auditor = Listing(store), Auditor(store)
        self._capabilities, self._attack_reports = Capabilities(store), AttackReports(store)
        self._comparisons, self._grouped = Comparisons(store), GroupedBoards(store, self._boards)
        self._agreements = Agreements(store)

    async def end_at(self, stop: asyncio.Event) -> None:
        """Let nothing go on in the background once `stop` is set."""
        await self._boards.end_at(stop)

    async def GetBoard(self, request: GetBoardRequest, context: grpc.aio.ServicerContext) -> GetBoardResponse:
        """Return the board of the runs named, or of all that are finished."""
        return await self._boards.answer(request.runs, wanted(request))

    async def WatchBoard(
        self, request: WatchBoardRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[WatchBoardResponse]:
        """Yield the board as it stands, then at each change, and a heartbeat when there is none. It never ends by itself."""
        # Nothing is newer than a board without a run, but a first watch is shown even that.
        revision, spoke_seconds = request.after_revision or -1, time.monotonic()
        while True:
            board = await self._boards.read()
            if board.revision > revision:
                revision, spoke_seconds = board.revision, time.monotonic()
                yield WatchBoardResponse(board=board)
            elif time.monotonic() - spoke_seconds >= self._settings.heartbeat_seconds:
                spoke_seconds = time.monotonic()
                yield WatchBoardResponse(heartbeat=True)
            await self._bell.wait(self._settings.look_seconds)

    async def ListVerdicts(
        self, request: ListVerdictsRequest, context: grpc.aio.ServicerContext
    ) -> ListVerdictsResponse:
        """Return a page of a run's verdicts."""
        return await self._listing.page(request)

    async def AuditRun(self, request: AuditRunRequest, context: grpc.aio.ServicerContext) -> AuditRunResponse:
        """Check the conservation laws over a run."""
        return await self._auditor.audit(request.run)

    async def GetAgreement(
        self, request: GetAgreementRequest, context: grpc.aio.ServicerContext
    ) -> GetAgreementResponse:
        """Tell how far the members of the run's panels agree."""
        return await self._agreements.of(request.run)

    async def ImportCapabilities(
        self, request: ImportCapabilitiesRequest, context: grpc.aio.ServicerContext
    ) -> ImportCapabilitiesResponse:
        """Keep capability figures from elsewhere, all or none."""
        return await self._capabilities.put(request.capabilities)

    async def ListCapabilities(
        self, request: ListCapabilitiesRequest, context: grpc.aio.ServicerContext
    ) -> ListCapabilitiesResponse:
        """List the imported figures."""
        return await self._capabilities.list()

    async def ReportAttacks(
        self, request: ReportAttacksRequest, context: grpc.aio.ServicerContext
    ) -> ReportAttacksResponse:
        """Tell what each attack of a run achieved, and what it cost."""
        return await self._attack_reports.report(request.run)

    async def GetWeights(self, request: GetWeightsRequest, context: grpc.aio.ServicerContext) -> GetWeightsResponse:
        """Tell how the ranking depends on the weight between safety and capability."""
        answer = await self._boards.answer(request.runs, wanted(request))
        return weighed(answer.board, request.models)

    async def CompareModels(
        self, request: CompareModelsRequest, context: grpc.aio.ServicerContext
    ) -> CompareModelsResponse:
        """Compare two models, or two runs of one, on the samples they share."""
        return await self._comparisons.compare(request)

    async def GetGroupedBoard(
        self, request: GetGroupedBoardRequest, context: grpc.aio.ServicerContext
    ) -> GetGroupedBoardResponse:
        """Return a board for each value of a field of the samples, or for each language or risk."""
        return await self._grouped.answer(request)


def wanted(request: GetBoardRequest | GetWeightsRequest) -> BoardQuery:
    """Return how the board is to be made that is asked for, or that the weights are looked at on."""
    return BoardQuery(tuple(request.models), request.capability, request.correct_judges)
