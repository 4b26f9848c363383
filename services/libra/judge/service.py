"""JudgeService: show the judges, and apply one to one answer."""

from __future__ import annotations

import grpc.aio

from libra.errors import Invalid
from libra.judge.bench import verdicts
from libra.judge.catalogue import KINDS, kind_named
from libra.judge.kind import Ask
from libra.judge.options import refuse_unknown
from libra.judge.telling import told
from libra.judge.translating import to_proto
from libra.v1 import judge_pb2_grpc
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.judge_pb2 import JudgeRequest, JudgeResponse, ListJudgesRequest, ListJudgesResponse
from libra.v1.task_pb2 import JudgeSpec


class JudgeService(judge_pb2_grpc.JudgeServiceServicer):
    """Answers from the catalogue; it keeps nothing."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def ListJudges(self, request: ListJudgesRequest, context: grpc.aio.ServicerContext) -> ListJudgesResponse:
        """Return every judge, in order of name."""
        return ListJudgesResponse(judges=[to_proto(kind) for kind in KINDS.values()])

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


def check(spec: JudgeSpec) -> None:
    """Raise Invalid, naming the field at fault and the nearest valid names, if there is no such judge or an option will not do."""
    kind = kind_named(spec.name)
    refuse_unknown(kind.name, kind.options, spec.options)
    told(kind, spec.options)
