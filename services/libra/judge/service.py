"""JudgeService: show the judges, apply one to one answer, and measure one against people."""

from __future__ import annotations

import grpc.aio

from libra.errors import Invalid, NotFound
from libra.judge.calibration import calibrate
from libra.judge.judge_factory import Judge, build_judge
from libra.judge.judge_type import Ask
from libra.judge.options import refuse_unknown
from libra.judge.proto_mapping import to_proto
from libra.judge.registry import KINDS, kind_named
from libra.judge.scoring import verdicts
from libra.store.calibrations import CalibrationCollection
from libra.v1 import judge_pb2_grpc
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.judge_pb2 import (
    CalibrateRequest,
    CalibrateResponse,
    CheckJudgesRequest,
    CheckJudgesResponse,
    JudgeCheck,
    JudgeRequest,
    JudgeResponse,
    ListCalibrationsRequest,
    ListCalibrationsResponse,
    ListJudgesRequest,
    ListJudgesResponse,
)
from libra.v1.task_pb2 import JudgeSpec

MAX_JUDGES = 10_000


class JudgeService(judge_pb2_grpc.JudgeServiceServicer):
    """Answers from the catalogue; it keeps calibrations and nothing else."""

    def __init__(self, ask: Ask, kept: CalibrationCollection) -> None:
        self._ask, self._kept = ask, kept

    async def ListJudges(self, request: ListJudgesRequest, context: grpc.aio.ServicerContext) -> ListJudgesResponse:
        """Return every judge, in order of name."""
        return ListJudgesResponse(judges=[to_proto(kind) for kind in KINDS.values()])

    async def CheckJudges(self, request: CheckJudgesRequest, context: grpc.aio.ServicerContext) -> CheckJudgesResponse:
        """Tell of each judge why it cannot judge, or whom it will ask."""
        if len(request.judges) > MAX_JUDGES:
            raise Invalid(f"{len(request.judges):,} judges; the limit is {MAX_JUDGES:,}", field="judges")
        return CheckJudgesResponse(checks=[checked(spec) for spec in request.judges])

    async def Judge(self, request: JudgeRequest, context: grpc.aio.ServicerContext) -> JudgeResponse:
        """Return the verdict on one answer."""
        check(request.judge)
        if not request.HasField("completion"):
            raise Invalid("there is no answer to judge; give its text and finish_reason", field="completion")
        trial = CompletedTrial(
            trial=Trial(messages=request.messages, fields=request.fields), completion=request.completion
        )
        (verdict,) = await verdicts(request.judge, [trial], self._ask)
        return JudgeResponse(verdict=verdict)

    async def Calibrate(self, request: CalibrateRequest, context: grpc.aio.ServicerContext) -> CalibrateResponse:
        """Measure a judge against labels of people, and keep the result."""
        check(request.judge)
        response = await calibrate(request.judge, request.answers, request.labels, self._ask)
        response.calibration.CopyFrom(await self._kept.upsert(response.calibration))
        return response

    async def ListCalibrations(
        self, request: ListCalibrationsRequest, context: grpc.aio.ServicerContext
    ) -> ListCalibrationsResponse:
        """Return the calibrations that are kept, by judge, the newest first; NotFound if there is no judge of that name."""
        if request.judge and request.judge not in KINDS:
            raise NotFound.named("judge", request.judge, list(KINDS), field="judge")
        return ListCalibrationsResponse(calibrations=await self._kept.list(request.judge))


def checked(spec: JudgeSpec) -> JudgeCheck:
    """Return what is to be known of a judge before it is put to use."""
    try:
        return JudgeCheck(models=check(spec).asked)
    except Invalid as error:
        return JudgeCheck(fault=error.message)


def check(spec: JudgeSpec) -> Judge:
    """Return the judge; raise Invalid, naming the field at fault and the nearest valid names, if there is no such judge or an option will not do."""
    kind = kind_named(spec.name)
    refuse_unknown(kind.name, kind.options, spec.options)
    return build_judge(kind, spec.options)
