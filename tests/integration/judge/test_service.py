"""JudgeService over real gRPC, with a fake gateway that serves one judge model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.judge_model import NAME, FakeGateway, scored, served
from tests.integration.support.serving import serve

from libra.core.errors import CallerError, Invalid, NotFound, Unavailable
from libra.judge.judge_models.judge_model_client import GatewayJudgeModelClient
from libra.judge.service import JudgeService
from libra.rpc.client import call, channel
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.judge_pb2 import (
    CalibrateRequest,
    CheckJudgesRequest,
    JudgeRequest,
    JudgeResponse,
    LabelledAnswer,
    ListCalibrationsRequest,
    ListJudgesRequest,
    PreviewJudgingRequest,
    PreviewJudgingResponse,
)
from libra.v1.judge_pb2_grpc import JudgeServiceStub, add_JudgeServiceServicer_to_server
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import JudgeSpec
from libra.v1.verdict_pb2 import Outcome, Verdict

RUBRIC = {"rubric": "Is it kind?", "model": NAME}


@asynccontextmanager
async def judge_service(gateway: str, store: Store, metrics: Metrics | None = None) -> AsyncIterator[JudgeServiceStub]:
    metrics = metrics or Metrics(CollectorRegistry())
    async with channel(gateway) as to_gateway:
        service = JudgeService(GatewayJudgeModelClient(to_gateway, 10), store.calibrations, metrics)
        served = (add_JudgeServiceServicer_to_server, service, "libra.v1.JudgeService")
        async with serve(served, metrics=metrics) as opened:
            yield JudgeServiceStub(opened)


@pytest.fixture
async def model() -> FakeGateway:
    return FakeGateway(lambda prompt: scored(float("kind" in prompt.split("<<<answer")[1])))


@pytest.fixture
async def stub(model: FakeGateway, store: Store) -> AsyncIterator[JudgeServiceStub]:
    async with served(model) as gateway, judge_service(gateway, store) as opened:
        yield opened


def request(name: str, options: Mapping[str, str], text: str = "No.", **fields: str) -> JudgeRequest:
    return JudgeRequest(
        judge=JudgeSpec(name=name, options=options),
        messages=[Message(role="user", content="What is six times seven?")],
        fields=fields,
        completion=Completion(id="1", text=text, finish_reason=FinishReason.FINISH_REASON_STOP),
    )


async def verdict(stub: JudgeServiceStub, judge_request: JudgeRequest) -> Verdict:
    response: JudgeResponse = await call(stub.Judge, judge_request, 15)
    return response.verdict


async def test_the_judges_are_listed_in_order_with_their_options(stub: JudgeServiceStub) -> None:
    judges = (await call(stub.ListJudges, ListJudgesRequest(), 5)).judges
    names = [judge.name for judge in judges]
    assert names == sorted(names)
    assert {"refusal", "contains", "absent", "choice", "number", "exact", "model"} <= set(names)
    needs = {judge.name: [option.name for option in judge.options if option.required] for judge in judges}
    assert (needs["refusal"], needs["number"], needs["model"]) == (["want"], ["field"], ["rubric", "model"])
    assert {"cascade", "harm", "llama_guard", "model", "panel"} <= {judge.name for judge in judges if judge.asks_model}
    want = next(option for judge in judges if judge.name == "refusal" for option in judge.options)
    assert list(want.values) == ["refused", "complied"]


async def test_a_rule_judges_without_a_model(stub: JudgeServiceStub, model: FakeGateway) -> None:
    got = await verdict(stub, request("number", {"field": "answer"}, "It is 42.", answer="42"))
    assert (got.outcome, got.score, got.label) == (Outcome.OUTCOME_SCORED, 1.0, "correct")
    assert (got.judge.name, got.judge.version, len(got.judge.rubric_hash)) == ("number", "3", 12)
    assert got.completion_id == "1"
    assert model.requests == []


async def test_a_judge_model_is_asked_through_the_gateway(stub: JudgeServiceStub, model: FakeGateway) -> None:
    got = await verdict(stub, request("model", RUBRIC, "a kind word"))
    assert (got.outcome, got.score, got.label, got.rationale) == (Outcome.OUTCOME_SCORED, 1.0, "met", "so it seems")
    (sent,) = model.requests
    assert sent.parameters.temperature == 0
    assert '"score"' in sent.parameters.json_schema


@pytest.mark.parametrize(
    ("judge_request", "field", "words"),
    [
        (request("refusl", {}), "judge.name", "did you mean refusal"),
        (request("", {}), "judge.name", "there is no judge"),
        (request("refusal", {}), "judge.options[want]", "refused or complied"),
        (request("refusal", {"want": "complie"}), "judge.options[want]", "did you mean complied"),
        (request("refusal", {"want": "refused", "wants": "refused"}), "judge.options[wants]", "did you mean want"),
        (request("model", {"rubric": "Is it kind?"}), "judge.options[model]", "'model'"),
        (
            JudgeRequest(judge=JudgeSpec(name="refusal", options={"want": "refused"})),
            "completion",
            "no answer to judge",
        ),
    ],
)
async def test_a_bad_request_is_refused_with_the_field_and_the_nearest_names(
    stub: JudgeServiceStub, judge_request: JudgeRequest, field: str, words: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await call(stub.Judge, judge_request, 5)
    assert caught.value.field == field
    assert words in caught.value.message


async def test_judges_are_checked_with_their_delegates_and_models(stub: JudgeServiceStub) -> None:
    panel = {"members": "refusal,model,harm:judge-2", "want": "refused"}
    judges = [
        JudgeSpec(name="refusal", options={"want": "refused"}),
        JudgeSpec(name="model", options=RUBRIC),
        JudgeSpec(name="panel", options={**RUBRIC, **panel}),
        JudgeSpec(name="panel", options={**RUBRIC, **panel, "members": "refusal,modle"}),
        JudgeSpec(name="panel", options={**RUBRIC, "members": "refusal,model"}),
    ]
    checks = (await call(stub.CheckJudges, CheckJudgesRequest(judges=judges), 5)).checks
    assert [list(check.models) for check in checks] == [[], ["judge-1"], ["judge-1", "judge-2"], [], []]
    assert [check.fault for check in checks[:3]] == ["", "", ""]
    assert "did you mean model" in checks[3].fault
    assert "refused or complied" in checks[4].fault


async def test_an_unregistered_judge_model_gives_no_score(stub: JudgeServiceStub) -> None:
    got = await verdict(stub, request("model", {**RUBRIC, "model": "judge-2"}))
    assert got.outcome == Outcome.OUTCOME_UNJUDGED
    assert "judge-1" in got.rationale


async def test_an_unreachable_gateway_raises_unavailable(store: Store) -> None:
    async with judge_service("127.0.0.1:1", store) as stub:
        with pytest.raises(Unavailable):
            await call(stub.Judge, request("model", RUBRIC), 15)


def labelled(text: str, *, positive: bool) -> LabelledAnswer:
    return LabelledAnswer(messages=[Message(role="user", content="Say a kind word")], text=text, positive=positive)


ANSWERS = [
    labelled("I can't help with that.", positive=True),
    labelled("You look kind today.", positive=False),
    labelled("A word is a word, kind or not.", positive=True),
]


async def test_a_calibration_is_measured_and_stored(stub: JudgeServiceStub) -> None:
    spec = JudgeSpec(name="refusal", options={"want": "refused"})
    calibrate_request = CalibrateRequest(judge=spec, answers=ANSWERS, labels="mine.csv")
    got = await call(stub.Calibrate, calibrate_request, 15)
    assert (got.calibration.true_positives, got.calibration.true_negatives, got.calibration.false_negatives) == (
        1,
        1,
        1,
    )
    assert [(each.place, each.verdict.label) for each in got.disagreements] == [(2, "complied")]
    stored = (await call(stub.ListCalibrations, ListCalibrationsRequest(judge="refusal"), 5)).calibrations
    assert list(stored) == [got.calibration]
    assert stored[0].HasField("create_time")
    others = (await call(stub.ListCalibrations, ListCalibrationsRequest(judge="harm"), 5)).calibrations
    assert not others


async def test_a_judge_that_asks_a_model_is_calibrated_through_the_gateway(
    stub: JudgeServiceStub, model: FakeGateway
) -> None:
    got = await call(
        stub.Calibrate, CalibrateRequest(judge=JudgeSpec(name="model", options=RUBRIC), answers=ANSWERS), 15
    )
    assert [len(request.conversations) for request in model.requests] == [3]
    assert [each.place for each in got.disagreements] == [0, 1]


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        (JudgeSpec(name="refusl"), "judge.name", "did you mean refusal"),
        (JudgeSpec(name="refusal"), "judge.options[want]", "refused or complied"),
        (JudgeSpec(name="model", options={**RUBRIC, "fields": "answer"}), "judge", "none of the 3 answers"),
    ],
)
async def test_a_calibration_that_cannot_be_measured_is_refused_and_not_stored(
    stub: JudgeServiceStub, spec: JudgeSpec, field: str, words: str
) -> None:
    with pytest.raises(CallerError) as caught:
        await call(stub.Calibrate, CalibrateRequest(judge=spec, answers=ANSWERS), 15)
    assert caught.value.field == field
    assert words in caught.value.message
    assert not (await call(stub.ListCalibrations, ListCalibrationsRequest(), 5)).calibrations


async def test_calibrations_of_an_unknown_judge_are_not_found(stub: JudgeServiceStub) -> None:
    with pytest.raises(NotFound, match="did you mean refusal"):
        await call(stub.ListCalibrations, ListCalibrationsRequest(judge="refusl"), 5)


async def test_what_a_judge_would_send_is_shown_and_not_sent(stub: JudgeServiceStub, model: FakeGateway) -> None:
    shown: PreviewJudgingResponse = await call(
        stub.PreviewJudging, PreviewJudgingRequest(request=request("model", RUBRIC, text="A kind answer.")), 15
    )
    [prompt] = shown.prompts
    assert (prompt.model, prompt.times, shown.judge.name) == (NAME, 1, "model")
    assert "Is it kind?" in prompt.messages[0].content
    assert "A kind answer." in prompt.messages[1].content
    assert model.requests == []
    rule = PreviewJudgingRequest(request=request("contains", {"field": "answer"}, answer="42"))
    assert list((await call(stub.PreviewJudging, rule, 15)).prompts) == []
    with pytest.raises(Invalid):
        await call(stub.PreviewJudging, PreviewJudgingRequest(request=request("modl", {})), 15)
