"""JudgeService: list the judges, judge one answer, and calibrate a judge against human labels.

Calibrations are imported when they are called: without NumPy and SciPy, the process starts sooner and has less memory.
"""

from __future__ import annotations

import grpc.aio

from libra.core.errors import Invalid, NotFound
from libra.judge.calibration.calibration_metrics import record_agreement, record_calibration
from libra.judge.calibration.constant_answers import score_constants
from libra.judge.judge_factory import ConfiguredJudge, build_judge
from libra.judge.judge_models.prompt_preview import RecordingClient
from libra.judge.judge_type import JudgeModelClient
from libra.judge.options import reject_unknown_options
from libra.judge.proto_mapping import judge_version, to_proto
from libra.judge.registry import JUDGES, judge_type_named
from libra.judge.scoring import verdicts
from libra.store.labels.calibrations import CalibrationCollection
from libra.telemetry.metrics import Metrics
from libra.v1 import judge_pb2_grpc
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.judge_pb2 import (
    CalibrateRequest,
    CalibrateResponse,
    CheckDriftRequest,
    CheckDriftResponse,
    CheckJudgesRequest,
    CheckJudgesResponse,
    JudgeCheck,
    JudgeRequest,
    JudgeResponse,
    ListCalibrationsRequest,
    ListCalibrationsResponse,
    ListJudgesRequest,
    ListJudgesResponse,
    PreviewJudgingRequest,
    PreviewJudgingResponse,
    ScoreConstantsRequest,
    ScoreConstantsResponse,
)
from libra.v1.task_pb2 import JudgeSpec

MAX_JUDGES = 10_000


class JudgeService(judge_pb2_grpc.JudgeServiceServicer):
    """Serves the judges of the registry; it stores calibrations and nothing else."""

    def __init__(self, model_client: JudgeModelClient, calibrations: CalibrationCollection, metrics: Metrics) -> None:
        self._model_client, self._calibrations, self._metrics = model_client, calibrations, metrics

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
        (verdict,) = await verdicts(request.judge, [checked_trial(request)], self._model_client)
        return JudgeResponse(verdict=verdict)

    async def PreviewJudging(
        self, request: PreviewJudgingRequest, context: grpc.aio.ServicerContext
    ) -> PreviewJudgingResponse:
        """Return what a judge sends to its models about one answer; send nothing."""
        recorder, judge = RecordingClient(), request.request.judge
        trial = checked_trial(request.request)
        (verdict,) = await verdicts(judge, [trial], recorder, request.category, request.judge_model)
        return PreviewJudgingResponse(judge=verdict.judge, prompts=recorder.prompts)

    async def Calibrate(self, request: CalibrateRequest, context: grpc.aio.ServicerContext) -> CalibrateResponse:
        """Measure how well a judge agrees with human labels, and store the result."""
        from libra.judge.calibration.calibration import calibrate  # noqa: PLC0415 - imports NumPy and SciPy

        checked_judge(request.judge)
        response = await calibrate(
            request.judge, request.answers, request.labels, self._model_client, request.repeats or 1
        )
        response.calibration.CopyFrom(await self._calibrations.upsert(response.calibration))
        record_calibration(response.calibration, self._metrics)
        return response

    async def CheckDrift(self, request: CheckDriftRequest, context: grpc.aio.ServicerContext) -> CheckDriftResponse:
        """Judge the labelled answers of a calibration again and compare the verdicts; store nothing."""
        from libra.judge.calibration.drift import (  # noqa: PLC0415 - imports NumPy and SciPy
            check_drift,
            drift_limits,
            find_baseline,
        )

        configured = checked_judge(request.judge)
        drift_limits(request)
        version = judge_version(configured.judge_type, configured.rubric_hash)
        stored = await self._calibrations.list(request.judge.name)
        response = await check_drift(request, find_baseline(stored, version, request.answers), self._model_client)
        record_agreement(response.now, self._metrics)
        share = response.changed / len(request.answers)
        self._metrics.judge_drift_changed.labels(judge=request.judge.name).set(share)
        return response

    async def ScoreConstants(
        self, request: ScoreConstantsRequest, context: grpc.aio.ServicerContext
    ) -> ScoreConstantsResponse:
        """Score answers that ignore the question on samples of a task."""
        return ScoreConstantsResponse(tasks=[await score_constants(request, self._model_client)])

    async def ListCalibrations(
        self, request: ListCalibrationsRequest, context: grpc.aio.ServicerContext
    ) -> ListCalibrationsResponse:
        """Return the stored calibrations by judge, newest first; raise NotFound if there is no judge of that name."""
        if request.judge and request.judge not in JUDGES:
            raise NotFound.named("judge", request.judge, list(JUDGES), field="judge")
        return ListCalibrationsResponse(calibrations=await self._calibrations.list(request.judge))


def checked_trial(request: JudgeRequest) -> CompletedTrial:
    """Return the answer of a request; raise Invalid if it or its judge is at fault."""
    checked_judge(request.judge)
    if not request.HasField("completion"):
        raise Invalid("there is no answer to judge; give its text and finish_reason", field="completion")
    return CompletedTrial(
        trial=Trial(messages=request.messages, fields=request.fields, aim=request.aim),
        completion=request.completion,
    )


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
