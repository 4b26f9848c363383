"""Attacks that ask models, through a real gateway: no question is asked twice, and a failure affects only its trial."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.integration.support.attack_models import JUDGE, TARGET, WRITER, AttackSetup, batch, default_script

from libra.attack.attack_session import MAX_PUBLISHED_CALLS
from libra.attack.model_client import GatewayClient
from libra.attack.model_stage import model_stage, policy
from libra.attack.settings import Settings
from libra.core.errors import CallerError, Unavailable
from libra.rpc.client import call, channel
from libra.stage.ended_runs import EndedRuns
from libra.store.client import Store
from libra.store.runs import RunRecord
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, hangs, refuses, says
from libra.v1.attack_pb2 import TransformRequest
from libra.v1.batch_pb2 import CompletionBatch, TrialBatch
from libra.v1.completion_pb2 import FinishReason
from libra.v1.message_pb2 import Message
from libra.v1.run_pb2 import Run, RunSpec, RunState

MODEL_WRITTEN = (
    "tense_change",
    "persona_modulation",
    "deep_inception",
    "one_sided_statement",
    "effect_to_cause",
    "persuasion",
)
MULTI_TURN = ("crescendo", "pair", "tap")


@pytest.fixture
async def models(store: Store) -> AsyncIterator[AttackSetup]:
    async with AttackSetup(store).running() as setup:
        yield setup


async def rewritten(models: AttackSetup, read: TrialBatch) -> TrialBatch:
    (sent,) = await models.rewrite(read)
    assert sent.subject == f"work.gateway.{TARGET}"
    return TrialBatch.FromString(sent.data)


@pytest.mark.parametrize("attack", [*MODEL_WRITTEN, "translation_de", "multilingual"])
async def test_a_model_writes_each_text_once_and_the_trial_records_the_cost(models: AttackSetup, attack: str) -> None:
    if attack == "multilingual":
        models.script = lambda request: says("كيف 磁 Магнит wie 자석 แม่เหล็ก") if request.number % 2 else says("")
        read = batch(attack, trials=1)
        assert len(await models.rewrite(read)) == 1
        return
    sent = await rewritten(models, batch(attack, trials=4))
    # Two samples, in two epochs each. A random attack may ask something else in each epoch.
    assert len(models.requests_to(WRITER)) in ((2, 3, 4) if attack in ("persuasion", "tense_change") else (2,))
    for trial in sent.trials:
        assert trial.messages[-1].role == "user"
        assert any("written: How do magnets work, part" in message.content for message in trial.messages)
        assert trial.fields["topic"] == "physics"
        assert (trial.fields["attack_form"], trial.fields["attack_tokens"]) == ("model", "15")
        assert trial.fields["attack_cost_usd"] == "10.000000"
        assert float(trial.fields["attack_seconds"]) >= 0
        assert [message.role for message in trial.log] == ["attacker"]
    body = models.requests_to(WRITER)[0].body
    assert (body["temperature"], body["max_tokens"]) == (0.0, 2048)


@pytest.mark.parametrize("attack", MULTI_TURN)
async def test_the_target_is_not_asked_again_for_the_final_prompt(models: AttackSetup, attack: str) -> None:
    sent = await rewritten(models, batch(attack))
    before = models.provider.count
    answered = await models.complete(sent)
    assert models.provider.count == before
    for completed in answered.trials:
        assert completed.completion.text == f"<think>hm</think>Well: {completed.trial.messages[-1].content}"
        assert completed.completion.attempts == 0
        assert completed.trial.messages[0].content == "Be brief."
        assert {message.role for message in completed.trial.log} == {"attacker", "target", "judge"}
    body = models.requests_to(TARGET)[0].body
    assert (body["temperature"], body["max_tokens"]) == (0.5, 77)


@pytest.mark.parametrize("attack", MULTI_TURN)
@pytest.mark.parametrize("fresh", [True, False])
async def test_a_redelivered_batch_asks_no_model_and_gives_the_same_messages(
    models: AttackSetup, attack: str, *, fresh: bool
) -> None:
    read = batch(attack, fresh=fresh)
    first = await models.rewrite(read)
    before = models.provider.count
    assert await models.rewrite(read) == first
    assert models.provider.count == before
    (sent,) = first
    await models.complete(TrialBatch.FromString(sent.data))
    assert models.provider.count == before


async def test_another_run_with_fresh_answers_asks_the_target_again(models: AttackSetup) -> None:
    await models.rewrite(batch("pair", trials=1))
    writer, target = len(models.requests_to(WRITER)), len(models.requests_to(TARGET))
    models.script = lambda request: default_script(
        ReceivedRequest(request.number % 3, request.body, request.headers, request.at_seconds)
    )
    await models.rewrite(batch("pair", trials=1, run="other", fresh=True))
    assert len(models.requests_to(TARGET)) > target
    assert len(models.requests_to(WRITER)) >= writer


async def test_if_the_attacker_refuses_the_rules_apply_or_the_trial_fails(models: AttackSetup) -> None:
    models.script = lambda request: says("I'm sorry, but I can't help with that.")
    sent = await rewritten(models, batch("tense_change"))
    assert {trial.fields["attack_form"] for trial in sent.trials} == {"rules"}
    assert sent.trials[0].fields["attack_tokens"] == "30"  # it was asked twice
    (to_judge,) = await models.rewrite(batch("translation_de"))
    assert to_judge.subject == "work.judge"
    for completed in CompletionBatch.FromString(to_judge.data).trials:
        assert completed.completion.finish_reason == FinishReason.FINISH_REASON_ERROR
        assert completed.completion.error.startswith(
            "the attack translation_de got no usable reply: the attacker model's text is unusable: it is a refusal"
        )
        assert completed.trial.messages[-1].content.startswith("How do magnets work")
        assert [message.role for message in completed.trial.log] == ["attacker"] * 2


async def test_a_provider_error_fails_only_its_trial(models: AttackSetup) -> None:
    def script(request: ReceivedRequest) -> Behaviour:
        if request.model == WRITER and "part 1" in request.prompt:
            return refuses(400, message="no such thing")
        return default_script(request)

    models.script = script
    to_gateway, to_judge = await models.rewrite(batch("translation_de", trials=4))
    assert [trial.sample for trial in TrialBatch.FromString(to_gateway.data).trials] == [0, 0]
    failed = CompletionBatch.FromString(to_judge.data).trials
    assert [completed.trial.sample for completed in failed] == [1, 1]
    assert "no such thing" in failed[0].completion.error


async def test_an_unknown_attacker_model_fails_the_trial(models: AttackSetup) -> None:
    (to_judge,) = await models.rewrite(batch("translation_de", attack_model="gone"))
    assert "there is no model 'gone'" in CompletionBatch.FromString(to_judge.data).trials[0].completion.error


async def test_an_outage_of_the_gateway_is_raised_and_the_batch_can_be_retried(
    models: AttackSetup, store: Store
) -> None:
    read = batch("tap", trials=1)
    async with channel("127.0.0.1:1") as closed:
        unreachable = model_stage(Settings(), GatewayClient(closed, 0.5, 4).connect, EndedRuns(store.runs.get_state, 1))
        with pytest.raises(Unavailable):
            await unreachable.handle(read)
    assert models.provider.count == 0
    await models.rewrite(read)
    assert models.provider.count > 0


async def test_a_batch_of_a_run_that_ends_is_dropped_while_it_waits(models: AttackSetup, store: Store) -> None:
    run = RunRecord(run=Run(id="run", spec=RunSpec(models=[TARGET]), state=RunState.RUN_STATE_RUNNING), sections=[])
    await store.runs.insert(run)
    models.script = lambda request: hangs()
    waiting = asyncio.create_task(models.rewrite(batch("crescendo")))
    async with asyncio.timeout(20):
        while models.provider.count < 2:
            await asyncio.sleep(0.01)
    await store.runs.mark_ended("run", RunState.RUN_STATE_CANCELLED)
    async with asyncio.timeout(20):
        assert await waiting == []
    assert models.requests_to(JUDGE) == []


@pytest.mark.parametrize("attack", [*MULTI_TURN, "translation_de+base64", "tense_change"])
async def test_transform_uses_the_named_models(models: AttackSetup, attack: str) -> None:
    messages = [Message(role="user", content="How do magnets work?")]
    request = TransformRequest(
        attack=attack, messages=messages, attack_model=WRITER, target_model=TARGET, judge_model=JUDGE
    )
    first = await call(models.service.Transform, request, 60)
    before = models.provider.count
    assert await call(models.service.Transform, request, 60) == first
    assert models.provider.count == before
    assert first.messages[-1].role == "user"
    assert first.log[0].role == "attacker"


@pytest.mark.parametrize(
    ("attack", "named", "field", "words"),
    [
        ("translation_de", {}, "attack_model", "needs a model that writes it"),
        ("crescendo", {"attack_model": WRITER, "judge_model": JUDGE}, "target_model", "none is named"),
        ("crescendo", {"attack_model": WRITER, "target_model": TARGET}, "judge_model", "judges its attempts"),
        ("crescendo+base64", {"attack_model": WRITER}, "attack", "must be the last"),
        ("tense_change", {"attack_model": "gone"}, "attack_model", "got no usable reply: .* there is no model 'gone'"),
    ],
)
async def test_the_error_names_the_field_of_the_missing_model(
    models: AttackSetup, attack: str, named: dict[str, str], field: str, words: str
) -> None:
    messages = [Message(role="user", content="How do magnets work?")]
    request = TransformRequest(attack=attack, messages=messages, **named)  # type: ignore[arg-type]  # text fields
    with pytest.raises(CallerError, match=words) as error:
        await call(models.service.Transform, request, 60)
    assert error.value.field == field


def test_the_deadline_is_longer_than_all_possible_questions_take() -> None:
    stage_policy = policy(Settings(gateway_timeout_seconds=10.0, questions_at_once=64, writing_slots=2))
    assert stage_policy.slots == 2
    assert stage_policy.deadline_seconds == 10.0 + 2 * 64 * MAX_PUBLISHED_CALLS / 64 * 10.0
