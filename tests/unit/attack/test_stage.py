"""The attack stage's messages for a batch, without a queue."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from libra.attack.catalogue import registry
from libra.attack.catalogue.attack import Attack, rewrite_last_turn
from libra.attack.outcomes import MAX_AIM_BYTES
from libra.attack.seeded_random import SeededRandom
from libra.attack.settings import Settings
from libra.attack.stage import attack_batch, stage
from libra.core.errors import Invalid
from libra.stage.batch import MAX_BYTES, content_key
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject
from libra.telemetry.log_actions import Action
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, Trial, TrialBatch
from libra.v1.completion_pb2 import FinishReason
from libra.v1.message_pb2 import Message

SYSTEM = Message(role="system", content="Be brief.")


def batch(attack: str = "few_shots", trials: int = 3, *, model: str = "one", text: str = "{}?") -> TrialBatch:
    return TrialBatch(
        header=BatchHeader(run="run", model=model, task="magnets@0123456789ab", attack=attack, seed=7),
        trials=[
            Trial(
                sample=index // 2,
                epoch=index % 2,
                messages=[SYSTEM, Message(role="user", content=text.replace("{}", str(index // 2)))],
                fields={"topic": "physics"},
            )
            for index in range(trials)
        ],
    )


def trials_of(messages: list[Outgoing]) -> list[Trial]:
    return [trial for message in messages for trial in TrialBatch.FromString(message.data).trials]


def fail_at_times(prompt: str, _rng: SeededRandom) -> str:
    if prompt == "1?":
        raise Invalid("it is too short", field="messages[1].content")
    if prompt == "2?":
        raise ZeroDivisionError
    return f"attacked: {prompt}"


STUBBORN = Attack("stubborn", "1", "Fails at times.", "this test", rewrite_last_turn(fail_at_times))


async def test_a_batch_is_rewritten_and_sent_to_its_model_with_all_its_fields() -> None:
    attack_stage = stage(Settings(slots=3))
    read = attack_stage.decode(batch(model="org.model").SerializeToString())
    (sent,) = await attack_stage.handle(read)
    assert sent.subject == "work.gateway.org=2Emodel"
    written = TrialBatch.FromString(sent.data)
    assert written.header == read.header
    for before, after in zip(read.trials, written.trials, strict=True):
        assert (after.sample, after.epoch, after.fields) == (before.sample, before.epoch, before.fields)
        assert after.messages[0] == SYSTEM
        assert before.messages[1].content in after.messages[1].content
        assert after.messages[1].role == "user"
    assert attack_stage.policy.slots == 3
    assert read == batch(model="org.model")  # a handler does not change its input


def test_every_model_gets_the_same_text_and_every_epoch_another() -> None:
    text = "How do magnets work?"
    one, other = (trials_of(attack_batch(batch(model=model, text=text), registry.find)) for model in ("one", "other"))
    assert one == other
    assert one[0].messages != one[1].messages  # one sample, two epochs
    assert one[0].messages != one[2].messages  # another sample, another seed


@pytest.mark.parametrize("attack", ["base64", "flip_characters"])
def test_a_deterministic_attack_has_the_same_text_in_every_epoch(attack: str) -> None:
    first, second, *_ = trials_of(attack_batch(batch(attack), registry.find))
    assert first.messages == second.messages


def test_an_attacked_trial_carries_its_aim() -> None:
    read = batch("base64+leetspeak")
    for before, after in zip(read.trials, trials_of(attack_batch(read, registry.find)), strict=True):
        assert list(after.aim) == list(before.messages)
        assert "attack_rewrites" not in after.fields
    assert all(not trial.aim for trial in trials_of(attack_batch(batch("none"), registry.find)))


def test_a_large_aim_keeps_both_ends_of_the_last_message() -> None:
    (trial,) = trials_of(
        attack_batch(batch("leetspeak", trials=1, text="start " + "水" * 400_000 + " end"), registry.find)
    )
    (aim,) = trial.aim
    assert len(aim.content.encode()) <= MAX_AIM_BYTES
    assert aim.content.startswith("start ")
    assert aim.content.endswith(" end")


@pytest.mark.parametrize("attack", ["persuasion", "base64+deep_inception", "tense_change+base64"])
def test_a_trial_under_an_attack_that_rewrites_the_request_says_so(attack: str) -> None:
    trials = trials_of(attack_batch(batch(attack), registry.find))
    assert [trial.fields["attack_rewrites"] for trial in trials] == ["yes"] * 3


@pytest.mark.parametrize(
    ("attack", "text", "mark"),
    [
        ("leetspeak", "如何工作", "yes"),
        ("leetspeak", "aeiou", ""),
        ("none", "如何工作", ""),
        ("base64", "7", ""),
    ],
)
def test_a_trial_whose_prompt_an_attack_leaves_as_it_was_is_marked(attack: str, text: str, mark: str) -> None:
    (trial,) = trials_of(attack_batch(batch(attack, trials=1, text=text), registry.find))
    assert trial.fields.get("attack_unchanged", "") == mark


def test_the_seed_of_the_run_changes_the_text() -> None:
    reseeded = batch()
    reseeded.header.seed = 8
    first, second = (trials_of(attack_batch(read, registry.find)) for read in (batch(), reseeded))
    assert all(a.messages != b.messages for a, b in zip(first, second, strict=True))


def test_the_same_batch_gives_the_same_messages_with_the_same_keys() -> None:
    assert attack_batch(batch(), registry.find) == attack_batch(batch(), registry.find)


def test_an_unchanged_batch_has_another_key_than_the_input() -> None:
    plain = batch("none")
    data = plain.SerializeToString(deterministic=True)
    (sent,) = attack_batch(plain, registry.find)
    assert sent.data == data
    assert sent.key != content_key("trials", data)


def test_a_batch_that_became_too_large_is_split() -> None:
    large = batch("ciphering", trials=10, text="水" * 15_000)
    assert large.ByteSize() < MAX_BYTES
    sent = attack_batch(large, registry.find)
    assert len(sent) > 1
    assert all(len(message.data) < MAX_BYTES + 1_000 for message in sent)
    assert [trial.sample for trial in trials_of(sent)] == [trial.sample for trial in large.trials]


def test_a_trial_that_cannot_be_rewritten_fails_alone() -> None:
    with capture_logs() as entries:
        to_gateway, to_judge = attack_batch(batch("stubborn", trials=8), {"stubborn": STUBBORN}.get)
    assert [trial.messages[1].content for trial in trials_of([to_gateway])] == ["attacked: 0?"] * 2 + [
        "attacked: 3?"
    ] * 2
    assert to_judge.subject == "work.judge"
    failed = CompletionBatch.FromString(to_judge.data)
    assert failed.header == batch("stubborn").header
    assert [(one.trial.sample, one.trial.epoch) for one in failed.trials] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    for one in failed.trials:
        assert one.trial.messages[1].content in ("1?", "2?")
        assert one.trial.fields == {"topic": "physics"}
        assert one.completion.finish_reason == FinishReason.FINISH_REASON_ERROR
        assert (one.completion.id, one.completion.text, one.completion.model) == ("", "", "one")
    invalid, bug = failed.trials[0].completion.error, failed.trials[2].completion.error
    assert invalid == "the attack stubborn cannot be applied to this sample: messages[1].content: it is too short"
    assert "ZeroDivisionError" in bug
    assert [entry["action"] for entry in entries] == [Action.ATTACK_FAILED] * 2


def test_a_conversation_whose_last_turn_is_not_a_users_fails_alone() -> None:
    mixed = batch()
    mixed.trials[1].messages.append(Message(role="assistant", content="Well,"))
    to_gateway, to_judge = attack_batch(mixed, registry.find)
    assert len(trials_of([to_gateway])) == 2
    (failed,) = CompletionBatch.FromString(to_judge.data).trials
    assert "the last message is the assistant's" in failed.completion.error


@pytest.mark.parametrize(("name", "words"), [("few_shot", "did you mean few_shots"), ("", "valid names: ")])
def test_a_batch_under_an_unknown_attack_is_rejected(name: str, words: str) -> None:
    with pytest.raises(Reject, match=words):
        attack_batch(batch(name), registry.find)


def test_an_empty_batch_gives_no_messages() -> None:
    assert attack_batch(batch(trials=0), registry.find) == []


def test_control_characters_pass_unchanged() -> None:
    text = "\x00\x01\x1b[31m\x7f\u2028\ufeff 😀"
    for trial in trials_of(attack_batch(batch(text=text), registry.find)):
        assert text in trial.messages[1].content


def test_a_new_version_of_an_attack_keeps_its_random_choices() -> None:
    # The random stream depends only on the name, so that a new version changes only the text that its author changed.
    newer = replace(STUBBORN, version="2")
    first, second = (attack_batch(batch("stubborn", trials=2), {"stubborn": one}.get) for one in (STUBBORN, newer))
    assert first == second


@pytest.mark.parametrize(
    ("attack", "sizes"), [("translation_de", [20]), ("tense_change", [20]), ("crescendo", [8, 8, 4])]
)
def test_a_batch_whose_attack_asks_a_model_is_forwarded_to_the_model_stage(attack: str, sizes: list[int]) -> None:
    read = batch(attack, trials=20)
    read.header.attack_model = "writer"
    sent = attack_batch(read, registry.find)
    assert {message.subject for message in sent} == {"work.writing"}
    assert [len(TrialBatch.FromString(message.data).trials) for message in sent] == sizes
    assert trials_of(sent) == list(read.trials)
    assert all(message.key != content_key("trials", message.data) for message in sent)


def test_without_a_model_the_rules_apply_and_the_trials_record_it() -> None:
    (sent,) = attack_batch(batch("tense_change"), registry.find)
    assert {trial.fields["attack_form"] for trial in trials_of([sent])} == {"rules"}
    (to_judge,) = attack_batch(batch("translation_de"), registry.find)
    assert "needs a model that writes it" in CompletionBatch.FromString(to_judge.data).trials[0].completion.error
