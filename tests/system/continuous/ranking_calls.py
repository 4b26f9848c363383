"""The calls of RankingService that read, each of which may say something about a sample."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import Message as ProtoMessage

from libra.v1 import ranking_pb2

WORD = "zebrafish"
"""A word that every sample contains, and that occurs nowhere else."""


def calls_of_round(round_name: str) -> Iterator[tuple[str, ProtoMessage]]:
    yield "GetBoard", ranking_pb2.GetBoardRequest(round=round_name)
    yield "WatchBoard", ranking_pb2.WatchBoardRequest()
    yield "GetWeights", ranking_pb2.GetWeightsRequest(round=round_name)
    yield "GetTradeoff", ranking_pb2.GetTradeoffRequest(round=round_name)
    yield "ListCapabilities", ranking_pb2.ListCapabilitiesRequest()
    yield "ReportContamination", ranking_pb2.ReportContaminationRequest(round=round_name)
    yield "ReportStability", ranking_pb2.ReportStabilityRequest(earlier=round_name, later="other")
    for by in ("answer", "hint", "language", "response"):
        yield "GetGroupedBoard", ranking_pb2.GetGroupedBoardRequest(by=by, round=round_name)
        yield "GetGroupedBoard", ranking_pb2.GetGroupedBoardRequest(by=by)


def calls_of_run(run: str) -> Iterator[tuple[str, ProtoMessage]]:
    for view in ranking_pb2.VerdictView.values():
        yield "ListVerdicts", ranking_pb2.ListVerdictsRequest(run=run, view=view, page_size=50)
    yield "ListVerdicts", ranking_pb2.ListVerdictsRequest(run=run, text=WORD)
    yield "ListVerdicts", ranking_pb2.ListVerdictsRequest(run=run, reason=WORD)
    yield "ReportFailures", ranking_pb2.ReportFailuresRequest(run=run)
    yield "ReportAttacks", ranking_pb2.ReportAttacksRequest(run=run)
    yield "GetAgreement", ranking_pb2.GetAgreementRequest(run=run)
    yield "AuditRun", ranking_pb2.AuditRunRequest(run=run)
    sides = ranking_pb2.CompareModelsRequest(model="quoting", other="careful", runs=[run], other_runs=[run])
    yield "CompareModels", sides
    full = ranking_pb2.VerdictView.VERDICT_VIEW_FULL
    yield "CompareSamples", ranking_pb2.CompareSamplesRequest(comparison=sides, view=full)
