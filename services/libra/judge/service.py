"""JudgeService: list the judges, judge one answer, and calibrate a judge against human labels."""

from __future__ import annotations

import grpc.aio

from libra.core.errors import Invalid, NotFound
from libra.judge.calibration import calibrate
from libra.judge.judge_factory import ConfiguredJudge, build_judge
from libra.judge.judge_type import JudgeModelClient
from libra.judge.options import reject_unknown_options
from libra.judge.proto_mapping import to_proto
from libra.judge.registry import JUDGES, judge_type_named
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
    """Serves the judges of the registry; it stores calibrations and nothing else."""

    def __init__(self, model_client: JudgeModelClient, calibrations: CalibrationCollection) -> None:
        self._model_client, self._calibrations = model_client, calibrations

    async def ListJudges(self, request: ListJudgesRequest, context: grpc.aio.ServicerContext) -> ListJudgesResponse:
        """Return every judge, in order of name."""
        return ListJudgesResponse(judges=[to_proto(judge_type) for judge_type in JUDGES.values()])

    async def CheckJudges(self, request: CheckJudgesRequest, context: grpc.aio.ServicerContext) -> CheckJudgesResponse:
        """Return, for each judge, why it cannot judge or which models it asks."""
        if len(request.judges) > MAX_JUDGES:
            raise Invalid(f"{len(request.judges):,} judges; the limit is {MAX_JUDGES:,}", field="judges")
        return CheckJudgesResponse(checks=[check_result(spec) for spec in request.judges])

    async def Judge(self, request: JudgeRequest, context: grpc.aio.ServicerContext) -> JudgeResponse:
        """Return the verdict on one answer."""
        checked_judge(request.judge)
        if not request.HasField("completion"):
            raise Invalid("there is no answer to judge; give its text and finish_reason", field="completion")
        trial = CompletedTrial(
            trial=Trial(messages=request.messages, fields=request.fields), completion=request.completion
        )
        (verdict,) = await verdicts(request.judge, [trial], self._model_client)
        return JudgeResponse(verdict=verdict)

    async def Calibrate(self, request: CalibrateRequest, context: grpc.aio.ServicerContext) -> CalibrateResponse:
        """Measure how well a judge agrees with human labels, and store the result."""
        checked_judge(request.judge)
        response = await calibrate(request.judge, request.answers, request.labels, self._model_client)
        response.calibration.CopyFrom(await self._calibrations.upsert(response.calibration))
        return response

    async def ListCalibrations(
        self, request: ListCalibrationsRequest, context: grpc.aio.ServicerContext
    ) -> ListCalibrationsResponse:
        """Return the stored calibrations by judge, newest first; raise NotFound if there is no judge of that name."""
        if request.judge and request.judge not in JUDGES:
            raise NotFound.named("judge", request.judge, list(JUDGES), field="judge")
        return ListCalibrationsResponse(calibrations=await self._calibrations.list(request.judge))


def check_result(spec: JudgeSpec) -> JudgeCheck:
    """Return the models that a judge asks, or the error in its name or options."""
    try:
        return JudgeCheck(models=checked_judge(spec).model_names)
    except Invalid as error:
        return JudgeCheck(fault=error.message)


def checked_judge(spec: JudgeSpec) -> ConfiguredJudge:
    """Return the judge that a spec describes.

    Raises:
        Invalid: there is no such judge, or an option is unknown, missing or not allowed; the error names the field and
        the
            nearest valid names.
    """
    judge_type = judge_type_named(spec.name)
    reject_unknown_options(judge_type.name, judge_type.options, spec.options)
    return build_judge(judge_type, spec.options)
