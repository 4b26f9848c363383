"""Drift checks over real gRPC: a judge model that changes its mind, and the stored calibration it is compared with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from tests.integration.judge.test_service import judge_service
from tests.integration.support.judge_model import NAME, FakeGateway, scored, served

from libra.core.errors import CallerError, Invalid, NotFound
from libra.judge.judges.model import MODEL_JUDGE
from libra.rpc.client import call
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.judge_pb2 import CalibrateRequest, CheckDriftRequest, CheckDriftResponse, LabelledAnswer
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import JudgeSpec

JUDGE = JudgeSpec(name="model", options={"rubric": "Is it good?", "model": NAME})
ANSWERS = [
    LabelledAnswer(
        messages=[Message(role="user", content="Say a word")],
        text=f"word {number} of {'kind' if number % 2 else 'rude'} people",
        positive=number % 2 == 1,
        fields={"model": "one" if number < 30 else "two"},
    )
    for number in range(40)
]


class ChangingModel:
    """Calls kind answers good; those in `wrong` it calls otherwise, and those in `silent` it cannot judge."""

    def __init__(self) -> None:
        self.wrong: set[int] = set()
        self.silent: set[int] = set()

    def reply(self, prompt: str) -> Completion:
        answer = prompt.split("<<<answer")[1]
        number = int(answer.split("word ")[1].split(" ")[0])
        if number in self.silent:
            return Completion(error="gone", finish_reason=FinishReason.FINISH_REASON_ERROR)
        return scored(float(("kind" in answer) != (number in self.wrong)))


@pytest.fixture
def model() -> ChangingModel:
    return ChangingModel()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def gateway(model: ChangingModel) -> FakeGateway:
    return FakeGateway(model.reply)


@pytest.fixture
async def stub(gateway: FakeGateway, store: Store, metrics: Metrics) -> AsyncIterator[JudgeServiceStub]:
    async with served(gateway) as address, judge_service(address, store, metrics) as opened:
        await call(opened.Calibrate, CalibrateRequest(judge=JUDGE, answers=ANSWERS, labels="mine.csv"), 30)
        yield opened


async def check(stub: JudgeServiceStub, **options: float) -> CheckDriftResponse:
    request = CheckDriftRequest(judge=JUDGE, answers=ANSWERS, **options)
    response: CheckDriftResponse = await call(stub.CheckDrift, request, 30)
    return response


async def test_an_unchanged_judge_has_not_drifted(
    stub: JudgeServiceStub, gateway: FakeGateway, store: Store, metrics: Metrics
) -> None:
    before = await store.calibrations.list()
    got = await check(stub)
    assert (got.changed, got.newly_wrong, got.newly_right, got.p_value, got.drifted) == (0, 0, 0, 1, False)
    assert got.before == before[0]
    assert got.now.decisions == got.before.decisions
    assert await store.calibrations.list() == before
    assert metrics.judge_agreement.labels(judge="model")._value.get() == 1
    assert metrics.judge_drift_changed.labels(judge="model")._value.get() == 0


async def test_stored_replies_are_not_used_again(stub: JudgeServiceStub, gateway: FakeGateway) -> None:
    await check(stub)
    await check(stub)
    labels = [request.fresh_for for request in gateway.requests]
    assert labels[0] == ""
    assert all(labels[1:])
    assert len(set(labels)) == len(labels) == 3


async def test_a_judge_that_errs_more_often_has_drifted(
    stub: JudgeServiceStub, model: ChangingModel, metrics: Metrics
) -> None:
    model.wrong = set(range(8))
    got = await check(stub, max_changed=1)
    assert (got.changed, got.newly_wrong, got.newly_right, got.drifted) == (8, 8, 0, True)
    assert got.p_value == pytest.approx(2 / 2**8)
    assert [(change.place, change.before) for change in got.changes] == [(n, "01"[n % 2]) for n in range(8)]
    assert metrics.judge_drift_changed.labels(judge="model")._value.get() == pytest.approx(0.2)
    assert [group.value for group in got.now.groups] == ["one", "two"]


async def test_few_changes_are_no_drift_and_many_are_even_without_a_direction(
    stub: JudgeServiceStub, model: ChangingModel
) -> None:
    model.wrong = {1, 2}
    assert not (await check(stub)).drifted
    assert (await check(stub, max_changed=0.01)).drifted
    await call(stub.Calibrate, CalibrateRequest(judge=JUDGE, answers=ANSWERS, labels="mine.csv"), 30)
    model.wrong = {3, 4}
    got = await check(stub, max_changed=0.05)
    assert (got.newly_wrong, got.newly_right, got.p_value, got.drifted) == (2, 2, 1, True)


async def test_an_answer_that_is_not_decided_any_more_has_changed(stub: JudgeServiceStub, model: ChangingModel) -> None:
    model.silent = {5}
    got = await check(stub)
    assert (got.changed, got.newly_wrong, got.newly_right) == (1, 0, 0)
    assert (got.changes[0].before, got.now.decisions[5], got.now.unjudged) == ("1", "-", 1)


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (CheckDriftRequest(judge=JUDGE, answers=ANSWERS[1:]), NotFound, "libra judges calibrate"),
        (
            CheckDriftRequest(judge=JudgeSpec(name="harm", options={"model": NAME}), answers=ANSWERS),
            NotFound,
            "the judge harm has no calibration",
        ),
        (
            CheckDriftRequest(
                judge=JudgeSpec(name="model", options={**JUDGE.options, "rubric": "Is it bad?"}), answers=ANSWERS
            ),
            NotFound,
            "with these options",
        ),
        (CheckDriftRequest(judge=JudgeSpec(name="modle"), answers=ANSWERS), Invalid, "did you mean model"),
        (CheckDriftRequest(judge=JUDGE, answers=ANSWERS, alpha=2), Invalid, "alpha is 2"),
        (CheckDriftRequest(judge=JUDGE, answers=ANSWERS, max_changed=-1), Invalid, "max_changed is -1"),
        (CheckDriftRequest(judge=JUDGE), NotFound, "has no calibration"),
    ],
)
async def test_a_check_without_a_baseline_is_refused(
    stub: JudgeServiceStub, request_: CheckDriftRequest, error: type[CallerError], words: str
) -> None:
    with pytest.raises(error, match=words):
        await call(stub.CheckDrift, request_, 15)


async def test_a_calibration_of_an_earlier_version_is_a_baseline(
    stub: JudgeServiceStub, store: Store, model: ChangingModel
) -> None:
    (stored,) = await store.calibrations.list()
    stored.judge.version = "0"
    stored.decisions = stored.decisions.replace("1", "0")
    await store.calibrations.upsert(stored)
    assert (await check(stub)).before.judge.version == MODEL_JUDGE.version
    await store.calibrations._collection.delete_many({"judge.version": MODEL_JUDGE.version})
    got = await check(stub)
    assert (got.before.judge.version, got.now.judge.version, got.newly_right) == ("0", MODEL_JUDGE.version, 20)
