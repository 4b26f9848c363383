"""Attacks that ask models, through a real gateway: nobody is asked twice, and what goes wrong costs no more than it must."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.integration.support.attack_models import JUDGE, TARGET, WRITER, Models, batch, says_in_turn

from libra.attack.model_client import Gateway
from libra.attack.model_stage import policy, writing
from libra.attack.settings import Settings
from libra.errors import CallerError, Unavailable
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

WRITTEN = (
    "tense_change",
    "persona_modulation",
    "deep_inception",
    "one_sided_statement",
    "effect_to_cause",
    "persuasion",
)
DIALOGUES = ("crescendo", "pair", "tap")


@pytest.fixture
async def models(store: Store) -> AsyncIterator[Models]:
    async with Models(store).up() as made:
        yield made


async def onward(models: Models, read: TrialBatch) -> TrialBatch:
    (sent,) = await models.written(read)
    assert sent.subject == f"work.gateway.{TARGET}"
    return TrialBatch.FromString(sent.data)


@pytest.mark.parametrize("attack", [*WRITTEN, "translation_de", "multilingual"])
async def test_a_model_writes_once_for_all_repeats_and_the_trial_says_what_it_took(models: Models, attack: str) -> None:
    if attack == "multilingual":
        models.script = lambda asked: says("كيف 磁 Магнит wie 자석 แม่เหล็ก") if asked.number % 2 else says("")
        read = batch(attack, trials=1)
        assert len(await models.written(read)) == 1
        return
    sent = await onward(models, batch(attack, trials=4))
    assert len(models.asked(WRITER)) == 2  # two samples, in two epochs each
    for trial in sent.trials:
        assert trial.messages[-1].role == "user"
        assert any("written: How do magnets work, part" in message.content for message in trial.messages)
        assert trial.fields["topic"] == "physics"
        assert (trial.fields["attack_form"], trial.fields["attack_tokens"]) == ("model", "15")
        assert trial.fields["attack_cost_usd"] == "10.000000"
        assert float(trial.fields["attack_seconds"]) >= 0
        assert [message.role for message in trial.log] == ["attacker"]
    asked = models.asked(WRITER)[0].body
    assert (asked["temperature"], asked["max_tokens"]) == (0.0, 2048)


@pytest.mark.parametrize("attack", DIALOGUES)
async def test_the_target_is_not_asked_twice_for_what_an_attack_ends_with(models: Models, attack: str) -> None:
    sent = await onward(models, batch(attack))
    before = models.provider.count
    answered = await models.answered(sent)
    assert models.provider.count == before
    for completed in answered.trials:
        assert completed.completion.text == f"<think>hm</think>Well: {completed.trial.messages[-1].content}"
        assert completed.completion.attempts == 0
        assert completed.trial.messages[0].content == "Be brief."
        assert {message.role for message in completed.trial.log} == {"attacker", "target", "judge"}
    asked = models.asked(TARGET)[0].body
    assert (asked["temperature"], asked["max_tokens"]) == (0.5, 77)


@pytest.mark.parametrize("attack", DIALOGUES)
@pytest.mark.parametrize("fresh", [True, False])
async def test_a_batch_that_comes_again_asks_nobody_and_gives_the_same(
    models: Models, attack: str, *, fresh: bool
) -> None:
    read = batch(attack, fresh=fresh)
    first = await models.written(read)
    before = models.provider.count
    assert await models.written(read) == first
    assert models.provider.count == before
    (sent,) = first
    await models.answered(TrialBatch.FromString(sent.data))
    assert models.provider.count == before


async def test_another_run_that_wants_fresh_answers_asks_the_target_anew(models: Models) -> None:
    await models.written(batch("pair", trials=1))
    writer, target = len(models.asked(WRITER)), len(models.asked(TARGET))
    models.script = lambda asked: says_in_turn(
        ReceivedRequest(asked.number % 3, asked.body, asked.headers, asked.at_seconds)
    )
    await models.written(batch("pair", trials=1, run="other", fresh=True))
    assert len(models.asked(TARGET)) > target
    assert len(models.asked(WRITER)) >= writer


async def test_a_model_that_refuses_to_write_leaves_the_rules_or_fails_the_trial(models: Models) -> None:
    models.script = lambda asked: says("I'm sorry, but I can't help with that.")
    sent = await onward(models, batch("tense_change"))
    assert {trial.fields["attack_form"] for trial in sent.trials} == {"rules"}
    assert sent.trials[0].fields["attack_tokens"] == "30"  # it was asked twice
    (past,) = await models.written(batch("translation_de"))
    assert past.subject == "work.judge"
    for completed in CompletionBatch.FromString(past.data).trials:
        assert completed.completion.finish_reason == FinishReason.FINISH_REASON_ERROR
        assert (
            "the attack translation_de came to nothing: what the attacker model wrote is of no use: it is a refusal"
            in (completed.completion.error)
        )
        assert completed.trial.messages[-1].content.startswith("How do magnets work")
        assert [message.role for message in completed.trial.log] == ["attacker"] * 2


async def test_a_model_whose_provider_fails_costs_the_trial_and_not_its_neighbours(models: Models) -> None:
    def script(asked: ReceivedRequest) -> Behaviour:
        if asked.model == WRITER and "part 1" in asked.prompt:
            return refuses(400, message="no such thing")
        return says_in_turn(asked)

    models.script = script
    through, past = await models.written(batch("translation_de", trials=4))
    assert [trial.sample for trial in TrialBatch.FromString(through.data).trials] == [0, 0]
    failed = CompletionBatch.FromString(past.data).trials
    assert [completed.trial.sample for completed in failed] == [1, 1]
    assert "no such thing" in failed[0].completion.error


async def test_a_model_that_is_gone_is_an_outcome_too(models: Models) -> None:
    (past,) = await models.written(batch("translation_de", attack_model="gone"))
    assert "there is no model 'gone'" in CompletionBatch.FromString(past.data).trials[0].completion.error


async def test_an_outage_is_passed_on_and_what_was_answered_is_not_asked_again(models: Models, store: Store) -> None:
    read = batch("tap", trials=1)
    async with channel("127.0.0.1:1") as closed:
        away = writing(Settings(), Gateway(closed, 0.5, 4).between, EndedRuns(store.runs.get_state, 1))
        with pytest.raises(Unavailable):
            await away.handle(read)
    assert models.provider.count == 0
    await models.written(read)
    assert models.provider.count > 0


async def test_a_batch_of_a_run_that_ends_is_dropped_while_it_waits(models: Models, store: Store) -> None:
    run = RunRecord(run=Run(id="run", spec=RunSpec(models=[TARGET]), state=RunState.RUN_STATE_RUNNING), sections=[])
    await store.runs.insert(run)
    models.script = lambda asked: hangs()
    waiting = asyncio.create_task(models.written(batch("crescendo")))
    async with asyncio.timeout(20):
        while models.provider.count < 2:
            await asyncio.sleep(0.01)
    await store.runs.mark_ended("run", RunState.RUN_STATE_CANCELLED)
    assert await asyncio.wait_for(waiting, 20) == []
    assert models.asked(JUDGE) == []


@pytest.mark.parametrize("attack", [*DIALOGUES, "translation_de+base64", "tense_change"])
async def test_one_conversation_is_transformed_with_the_models_named(models: Models, attack: str) -> None:
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
        ("translation_de", {}, "attack_model", "cannot do without a model"),
        ("crescendo", {"attack_model": WRITER, "judge_model": JUDGE}, "target_model", "none is named"),
        ("crescendo", {"attack_model": WRITER, "target_model": TARGET}, "judge_model", "judges its attempts"),
        ("crescendo+base64", {"attack_model": WRITER}, "attack", "must be the last"),
        ("tense_change", {"attack_model": "gone"}, "attack_model", "came to nothing: .* there is no model 'gone'"),
    ],
)
async def test_who_lacks_a_model_is_told_which(
    models: Models, attack: str, named: dict[str, str], field: str, words: str
) -> None:
    messages = [Message(role="user", content="How do magnets work?")]
    request = TransformRequest(attack=attack, messages=messages, **named)  # type: ignore[arg-type]  # text fields
    with pytest.raises(CallerError, match=words) as refusal:
        await call(models.service.Transform, request, 60)
    assert refusal.value.field == field


def test_the_deadline_is_longer_than_all_that_may_be_in_hand() -> None:
    limits = policy(Settings(gateway_timeout_seconds=10.0, questions_at_once=64, writing_slots=2))
    assert limits.slots == 2
    assert limits.deadline_seconds == 10.0 + 2 * 64 * 100 / 64 * 10.0
