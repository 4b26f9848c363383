"""The judge stage on a real nats-server: batches from the gateway in, batches for ranking out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.judge_model import NAME, FakeGateway, scored, served

from libra.bus.dead_letters import DeadLetterRecord, DeadLetters
from libra.bus.nats_bus import Backlog, NatsBus
from libra.bus.streams import JUDGE_CONSUMER, RANKING_CONSUMER, WORK_JUDGE
from libra.judge.judge_models.judge_model_client import GatewayJudgeModelClient
from libra.judge.settings import Settings
from libra.judge.stage import stage
from libra.rpc.client import channel
from libra.stage.batch import MAX_BYTES, content_key
from libra.stage.bus import Outgoing
from libra.stage.ended_runs import EndedRuns
from libra.stage.runner import run
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import BatchHeader, CompletedTrial, CompletionBatch, JudgeUsage, Trial, VerdictBatch
from libra.v1.completion_pb2 import Completion, FinishReason, Usage
from libra.v1.message_pb2 import Message
from libra.v1.run_pb2 import RunState
from libra.v1.task_pb2 import Category, JudgeSpec
from libra.v1.verdict_pb2 import Outcome

REFUSAL = JudgeSpec(name="refusal", options={"want": "refused"})
BY_MODEL = JudgeSpec(name="model", options={"rubric": "Is it kind?", "model": NAME})
STOP, ERROR = FinishReason.FINISH_REASON_STOP, FinishReason.FINISH_REASON_ERROR


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    connected = await NatsBus.connect(nats_url, name="test")
    await connected.ensure()
    yield connected
    await connected.close()


@asynccontextmanager
async def working(
    bus: NatsBus, gateway: str = "127.0.0.1:1", state: RunState.ValueType = RunState.RUN_STATE_RUNNING
) -> AsyncIterator[Metrics]:
    metrics, stop = Metrics(CollectorRegistry()), asyncio.Event()
    async with channel(gateway) as opened:
        ended = EndedRuns(lambda _: asyncio.sleep(0, state), 0.1)
        judge_stage = stage(Settings(gateway_timeout_seconds=10), GatewayJudgeModelClient(opened, 10), metrics, ended)
        running = asyncio.create_task(run(judge_stage, JUDGE_CONSUMER, bus, stop, metrics))
        yield metrics
        stop.set()
        async with asyncio.timeout(30):
            await running


def batch(judge: JudgeSpec, *completions: Completion, **fields: str) -> CompletionBatch:
    return CompletionBatch(
        header=BatchHeader(
            run="run", model="one", task="t@0", attack="none", judge=judge, category=Category.CATEGORY_DIRECT_RISKY
        ),
        trials=[
            CompletedTrial(
                trial=Trial(
                    sample=place, epoch=1, messages=[Message(role="user", content="How are you today?")], fields=fields
                ),
                completion=completion,
            )
            for place, completion in enumerate(completions)
        ],
    )


def said(text: str) -> Completion:
    return Completion(id=f"id of {text[:20]}", text=text, finish_reason=STOP)


async def send(bus: NatsBus, sent: CompletionBatch | bytes) -> None:
    data = sent if isinstance(sent, bytes) else sent.SerializeToString(deterministic=True)
    await bus.publish(Outgoing(WORK_JUDGE, content_key("completions", data), data), {})


async def received(bus: NatsBus, trials: int) -> list[VerdictBatch]:
    batches: list[VerdictBatch] = []
    async with asyncio.timeout(30):
        while sum(len(batch.verdicts) for batch in batches) < trials:
            for delivery in await bus.pull(RANKING_CONSUMER, 8):
                batches.append(VerdictBatch.FromString(delivery.data))
                await delivery.ack()
    return batches


async def test_a_batch_of_answers_becomes_a_batch_of_verdicts(bus: NatsBus) -> None:
    sent = batch(
        REFUSAL,
        said("I can't help with that."),
        Completion(error="500", finish_reason=ERROR),
        risk="low",
        long="x" * 5000,
        response="truncated",
        usage="unknown",
    )
    async with working(bus) as metrics:
        await send(bus, sent)
        (got,) = await received(bus, 2)
    assert got.header == sent.header
    assert [(verdict.sample, verdict.epoch, verdict.outcome, verdict.score) for verdict in got.verdicts] == [
        (0, 1, Outcome.OUTCOME_SCORED, 1.0),
        (1, 1, Outcome.OUTCOME_FAILED, 0.0),
    ]
    assert [verdict.completion_id for verdict in got.verdicts] == ["id of I can't help with th", ""]
    assert got.verdicts[1].rationale == "500"
    # A verdict carries the subgroups of its sample, but no long text and nothing that says what came back.
    assert dict(got.verdicts[0].fields) == {"risk": "low"}
    assert not got.verdicts[0].messages
    assert metrics.verdicts_judged.labels(judge="refusal", outcome="failed", response="failed")._value.get() == 1


async def test_a_verdict_carries_panel_votes_and_attack_log(bus: NatsBus) -> None:
    def reply(prompt: str) -> Completion:
        return scored(float("a kind word" in prompt))

    panel = JudgeSpec(name="panel", options={"members": f"refusal,model:{NAME}", "want": "refused", "rubric": "Kind?"})
    sent = batch(panel, said("a kind word"), said("I can't help with that."), votes="all", risk="low")
    sent.trials[0].trial.log.append(Message(role="attacker", content="Try a kind word."))
    async with served(FakeGateway(reply)) as gateway, working(bus, gateway):
        await send(bus, sent)
        (got,) = await received(bus, 2)
    assert [dict(verdict.fields) for verdict in got.verdicts] == [
        {"votes": "0,1", "risk": "low"},
        {"votes": "1,0", "risk": "low"},
    ]
    assert [list(verdict.log) for verdict in got.verdicts] == [list(sent.trials[0].trial.log), []]
    assert {verdict.outcome for verdict in got.verdicts} == {Outcome.OUTCOME_UNJUDGED}


async def test_too_many_verdicts_for_one_batch_are_split(bus: NatsBus) -> None:
    groups = {f"group{number}": "y" * 199 for number in range(60)}
    sent = batch(REFUSAL, *(said(f"I can't help with {number}.") for number in range(64)), **groups)
    async with working(bus):
        await send(bus, sent)
        got = await received(bus, 64)
    assert len(got) == 2
    assert all(part.ByteSize() < MAX_BYTES + 4096 for part in got)
    assert sorted(verdict.sample for part in got for verdict in part.verdicts) == list(range(64))


async def test_a_batch_is_one_request_to_the_judge_model(bus: NatsBus) -> None:
    failed = Completion(finish_reason=ERROR, error="the provider answered 400")

    def reply(prompt: str) -> Completion:
        return failed if "answer 7 " in prompt else scored(0.5)

    model = FakeGateway(reply)
    async with served(model) as gateway, working(bus, gateway):
        await send(bus, batch(BY_MODEL, *(said(f"answer {number} of many") for number in range(64))))
        (got,) = await received(bus, 64)
    assert [len(request.conversations) for request in model.requests] == [64]
    assert got.verdicts[7].outcome == Outcome.OUTCOME_UNJUDGED
    assert "the provider answered 400" in got.verdicts[7].rationale
    others = [verdict for verdict in got.verdicts if verdict.sample != 7]
    assert {(verdict.outcome, verdict.score, verdict.label) for verdict in others} == {
        (Outcome.OUTCOME_SCORED, 0.5, "partly")
    }


async def test_what_the_judge_model_used_is_sent_with_the_verdicts(bus: NatsBus) -> None:
    def reply(prompt: str) -> Completion:
        return Completion(
            text=scored(1).text,
            finish_reason=STOP,
            usage=Usage(prompt_tokens=100, completion_tokens=10),
            usage_unknown="answer 1 " in prompt,
        )

    model, harm = FakeGateway(reply), JudgeSpec(name="harm", options={"model": NAME})
    async with served(model) as gateway, working(bus, gateway):
        refused, answered = said("I can't help with that."), [said(f"answer {n} of many, take a bowl") for n in (0, 1)]
        await send(bus, batch(harm, refused, *answered, Completion(error="500", finish_reason=ERROR)))
        (got,) = await received(bus, 4)
        await send(bus, batch(REFUSAL, refused))
        (by_rule,) = await received(bus, 1)
    assert got.judged_trials == 4
    assert list(got.judge_usage) == [
        JudgeUsage(model=NAME, requests=2, prompt_tokens=200, completion_tokens=20, unknown_usage=1)
    ]
    assert (by_rule.judged_trials, list(by_rule.judge_usage)) == (0, [])


async def test_a_cancelled_run_sends_no_request_to_a_judge_model(bus: NatsBus) -> None:
    model = FakeGateway(lambda _: scored(1))
    async with served(model) as gateway, working(bus, gateway, RunState.RUN_STATE_CANCELLED):
        await send(bus, batch(BY_MODEL, said("hello")))
        await send(bus, batch(REFUSAL, said("I can't help with that.")))
        (got,) = await received(bus, 1)  # A rule costs nothing, so it still judges.
        async with asyncio.timeout(10):
            while (await bus.backlog())[JUDGE_CONSUMER] != Backlog(pending=0, ack_pending=0):
                await asyncio.sleep(0.05)
    assert got.header.judge.name == "refusal"
    assert model.requests == []


async def test_the_budget_of_a_run_pays_for_its_judge_model(bus: NatsBus) -> None:
    model, paid = FakeGateway(lambda _: scored(1)), batch(BY_MODEL, said("hello"))
    paid.header.has_budget = True
    async with served(model) as gateway, working(bus, gateway):
        await send(bus, paid)
        await send(bus, batch(BY_MODEL, said("hello again")))
        await received(bus, 2)
    assert sorted(request.budget_run for request in model.requests) == ["", "run"]


async def test_a_batch_whose_judge_the_budget_does_not_cover_is_dropped_and_not_unjudged(
    bus: NatsBus, unused_tcp_port: int
) -> None:
    async with working(bus, f"127.0.0.1:{unused_tcp_port}", RunState.RUN_STATE_BUDGET_EXHAUSTED):
        await send(bus, batch(BY_MODEL, said("hello")))
        await send(bus, batch(REFUSAL, said("I can't help with that.")))
        (got,) = await received(bus, 1)
        async with asyncio.timeout(20):
            while (await bus.backlog())[JUDGE_CONSUMER] != Backlog(pending=0, ack_pending=0):
                await asyncio.sleep(0.05)
    assert got.header.judge.name == "refusal"


async def test_a_batch_waits_for_an_unreachable_gateway(bus: NatsBus, unused_tcp_port: int) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    model = FakeGateway(lambda _: scored(1))
    async with working(bus, address):
        await send(bus, batch(BY_MODEL, said("hello")))
        await send(bus, batch(REFUSAL, said("I can't help with that.")))
        await received(bus, 1)  # Rules need no gateway, and do not wait for batches that do.
        async with served(model, address):
            (got,) = await received(bus, 1)
    assert got.verdicts[0].outcome == Outcome.OUTCOME_SCORED
    assert await DeadLetters(bus).list(after_seq=0, limit=1) == []


@pytest.mark.parametrize(
    ("sent", "reason"),
    [(batch(JudgeSpec(name="refusl"), said("hello")), "did you mean refusal"), (b"\xff\xff not a batch", "")],
)
async def test_a_batch_that_can_never_be_judged_is_dead_lettered_and_the_stage_continues(
    bus: NatsBus, sent: CompletionBatch | bytes, reason: str
) -> None:
    async with working(bus):
        await send(bus, sent)
        letter = await dead(bus)
        await send(bus, batch(REFUSAL, said("I can't help with that.")))
        await received(bus, 1)
    assert letter.stage == "judge"
    assert reason in letter.reason


async def dead(bus: NatsBus) -> DeadLetterRecord:
    async with asyncio.timeout(15):
        while not (letters := await DeadLetters(bus).list(after_seq=0, limit=1)):
            await asyncio.sleep(0.05)
    return letters[0]
