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
from libra.ranking.queries.compared_samples import SampleComparisonReader
from libra.ranking.queries.comparisons import ComparisonReader
from libra.ranking.queries.grouped_boards import GroupedBoardReader
from libra.ranking.queries.panel_agreement import AgreementReader
from libra.ranking.queries.result_metrics import record_audits
from libra.ranking.queries.round_reports import RoundReportReader
from libra.ranking.queries.tradeoffs import TradeoffReader
from libra.ranking.settings import Settings
from libra.ranking.verdicts.failure_groups import FailureReader
from libra.ranking.verdicts.verdict_details import VerdictReader
from libra.ranking.verdicts.verdict_listing import VerdictListReader
from libra.rpc.encoded_reply import EncodedReply
from libra.rpc.peer import require_loopback
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.v1 import ranking_pb2_grpc
from libra.v1.ranking_pb2 import (
    AuditRunRequest,
    AuditRunResponse,
    CompareModelsRequest,
    CompareModelsResponse,
    CompareSamplesRequest,
    CompareSamplesResponse,
    GetAgreementRequest,
    GetAgreementResponse,
    GetBoardRequest,
    GetBoardResponse,
    GetGroupedBoardRequest,
    GetGroupedBoardResponse,
    GetTradeoffRequest,
    GetTradeoffResponse,
    GetVerdictRequest,
    GetVerdictResponse,
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
    ReportContaminationRequest,
    ReportContaminationResponse,
    ReportFailuresRequest,
    ReportFailuresResponse,
    ReportStabilityRequest,
    ReportStabilityResponse,
    WatchBoardRequest,
    WatchBoardResponse,
)


class RankingService(ranking_pb2_grpc.RankingServiceServicer):
    """Answers from the store; its caches can be rebuilt from the store at any time."""

    def __init__(
        self, store: Store, notifier: ChangeNotifier, settings: Settings, metrics: Metrics | None = None
    ) -> None:
        self._notifier, self._settings = notifier, settings
        self._boards = BoardCache(store, notifier.notify, settings.gather_seconds)
        self._grouped_boards = GroupedBoardReader(store, self._boards)
        self._tradeoffs = TradeoffReader(store, self._boards)
        self._verdict_lists, self._verdicts = VerdictListReader(store), VerdictReader(store)
        self._failures = FailureReader(store)
        self._auditor = Auditor(store, record_audits(metrics)) if metrics else Auditor(store)
        self._agreement = AgreementReader(store)
        self._capabilities = CapabilityImport(store)
        self._attack_reports = AttackReportReader(store)
        self._comparisons = ComparisonReader(store)
        self._compared_samples = SampleComparisonReader(store, self._comparisons)
        self._round_reports = RoundReportReader(store)

    async def close_after(self, stop: asyncio.Event) -> None:
        """Stop the work in the background once `stop` is set."""
        await self._boards.close_after(stop)

    async def GetBoard(  # type: ignore[override]  # the reply is serialised already
        self, request: GetBoardRequest, context: grpc.aio.ServicerContext
    ) -> EncodedReply[GetBoardResponse]:
        """Return the board of the named runs, or of all finished runs."""
        return await self._boards.get_reply(request.runs, to_query(request), request.round)

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
        auditor = require_loopback(context, field="auditor_key") if request.auditor_key else ""
        return await self._verdict_lists.list_page(request, auditor)

    async def GetVerdict(self, request: GetVerdictRequest, context: grpc.aio.ServicerContext) -> GetVerdictResponse:
        """Return one verdict with everything that is stored about its trial."""
        return await self._verdicts.get(request)

    async def ReportFailures(
        self, request: ReportFailuresRequest, context: grpc.aio.ServicerContext
    ) -> ReportFailuresResponse:
        """Return the failed and unjudged verdicts of a run by reason."""
        return await self._failures.report(request.run)

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
        response = await self._boards.get_board(request.runs, to_query(request), request.round)
        return sweep_weights(response.board, request.models)

    async def CompareModels(
        self, request: CompareModelsRequest, context: grpc.aio.ServicerContext
    ) -> CompareModelsResponse:
        """Compare two models, or two runs of one model, on the samples that they share."""
        return await self._comparisons.compare(request)

    async def CompareSamples(
        self, request: CompareSamplesRequest, context: grpc.aio.ServicerContext
    ) -> CompareSamplesResponse:
        """Return a page of the samples that two sides share."""
        return await self._compared_samples.list_page(request)

    async def GetGroupedBoard(
        self, request: GetGroupedBoardRequest, context: grpc.aio.ServicerContext
    ) -> GetGroupedBoardResponse:
        """Return a board for each value of a sample field, or for each language or risk."""
        return await self._grouped_boards.get_grouped_board(request)

    async def GetTradeoff(self, request: GetTradeoffRequest, context: grpc.aio.ServicerContext) -> GetTradeoffResponse:
        """Return over-refusal against harm for each model."""
        return await self._tradeoffs.get_tradeoff(request)

    async def ReportContamination(
        self, request: ReportContaminationRequest, context: grpc.aio.ServicerContext
    ) -> ReportContaminationResponse:
        """Return how much better each model is on published samples than on fresh ones."""
        return await self._round_reports.report_contamination(request)

    async def ReportStability(
        self, request: ReportStabilityRequest, context: grpc.aio.ServicerContext
    ) -> ReportStabilityResponse:
        """Return how far two rounds rank the models alike on their anchors."""
        return await self._round_reports.report_stability(request)


def to_query(request: GetBoardRequest | GetWeightsRequest) -> BoardQuery:
    """Return the options of the requested board."""
    benchmark_accuracy = isinstance(request, GetBoardRequest) and request.benchmark_accuracy
    return BoardQuery(
        tuple(request.models), request.capability, request.correct_judges, request.use_labels, benchmark_accuracy
    )
