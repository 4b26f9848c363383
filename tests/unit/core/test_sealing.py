from __future__ import annotations

import asyncio

import pytest
from google.protobuf.message import Message as ProtoMessage

from libra.core.sealed import sealing
from libra.v1.completion_pb2 import Completion
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import Sample
from libra.v1.verdict_pb2 import JudgeVersion, Verdict

WORD = "zebrafish"
SHOWN = {"id", "run", "model", "task", "attack", "label"}
"""The texts of a verdict that are shown; the first five are names and ids."""


def fill(message: ProtoMessage, depth: int = 2) -> ProtoMessage:
    """Set every field, each text to the word: a field that is added later is covered as well."""
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            value[WORD] = WORD
        elif field.message_type and depth:
            fill(value.add() if field.is_repeated else value, depth - 1)
        elif field.type == field.TYPE_STRING:
            value.append(WORD) if field.is_repeated else setattr(message, field.name, WORD)
        elif field.type in (field.TYPE_INT32, field.TYPE_INT64, field.TYPE_DOUBLE, field.TYPE_ENUM):
            setattr(message, field.name, 1)
    return message


def test_a_redacted_verdict_keeps_its_score_and_no_text_that_may_quote_the_sample() -> None:
    verdict = Verdict()
    fill(verdict)
    verdict.fields.update({"response": "truncated", "answer": WORD})
    shown = sealing.redact_verdict(verdict)
    texts = {field.name for field, value in shown.ListFields() if field.type == field.TYPE_STRING and value == WORD}
    assert texts == SHOWN
    assert dict(shown.fields) == {"response": "truncated"}
    assert (shown.score, shown.outcome, shown.sealed) == (1, 1, True)
    assert shown.judge == JudgeVersion(name=WORD, version=WORD, rubric_hash=WORD)
    assert not shown.messages
    assert not shown.log
    assert shown.completion == Completion()


def test_a_redacted_sample_keeps_only_its_ordinal() -> None:
    sample = Sample(ordinal=3, id=WORD, messages=[Message(content=WORD)], fields={WORD: WORD})
    assert sealing.redact_sample(sample) == Sample(ordinal=3, sealed=True)


async def test_tasks_that_sealed_work_starts_are_sealed_and_others_are_not() -> None:
    async def is_sealed() -> bool:
        await asyncio.sleep(0)
        return sealing.is_sealed()

    async def work() -> bool:
        sealing.enter(sealed=True)
        return await asyncio.create_task(is_sealed()) and await asyncio.to_thread(sealing.is_sealed)

    outside, inside = await asyncio.gather(asyncio.create_task(is_sealed()), asyncio.create_task(work()))
    assert inside
    assert not outside
    assert not sealing.is_sealed()


@pytest.mark.parametrize("sealed", [True, False])
async def test_an_error_about_sealed_samples_shows_only_its_type(*, sealed: bool) -> None:
    sealing.enter(sealed=sealed)
    described = sealing.describe_error(ValueError(WORD))
    assert described == ("ValueError" if sealed else f"ValueError: {WORD}")
    assert sealing.withhold(WORD) == (sealing.WITHHELD if sealed else WORD)
    assert sealing.withhold("") == ""
