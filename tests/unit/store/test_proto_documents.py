from __future__ import annotations

from datetime import UTC, datetime

import bson
from google.protobuf.message import Message as AnyMessage
from hypothesis import given
from hypothesis import strategies as st

from libra.store.proto_documents import from_document, now, to_document
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.run_pb2 import OutcomeCounts, Run, RunSpec
from libra.v1.task_pb2 import Sample

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
messages = st.lists(st.builds(Message, role=text, content=text), max_size=3)


def through_mongo(message: AnyMessage) -> dict[str, object]:
    return bson.decode(bson.encode(to_document(message)), bson.CodecOptions(tz_aware=True))


@given(ordinal=st.integers(0, 2**31 - 1), turns=messages, fields=st.dictionaries(text, text, max_size=4))
def test_a_sample_comes_back_as_it_was_whatever_its_keys_hold(
    ordinal: int, turns: list[Message], fields: dict[str, str]
) -> None:
    sample = Sample(ordinal=ordinal, messages=turns, fields=fields)
    assert from_document(Sample(), through_mongo(sample)) == sample


def test_keys_that_a_document_must_not_have_are_kept() -> None:
    sample = Sample(fields={"a.b": "1", "$set": "2", "": "3", "nul\0": "4"})
    assert from_document(Sample(), through_mongo(sample)) == sample


def test_what_is_set_to_nothing_is_told_from_what_is_not_set() -> None:
    zero = GenerationParameters(temperature=0.0, seed=0)
    back = from_document(GenerationParameters(), through_mongo(zero))
    assert back == zero
    assert not back.HasField("top_p")


def test_times_are_kept_to_the_millisecond_and_empty_messages_are_kept() -> None:
    run = Run(id="r", spec=RunSpec(models=["a", "b.1"]), counts=OutcomeCounts())
    run.create_time.FromDatetime(datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC))
    back = from_document(Run(), through_mongo(run))
    assert back == run
    assert back.HasField("counts")
    assert now().microsecond % 1000 == 0


def test_keys_that_are_no_fields_are_passed_by() -> None:
    assert from_document(Sample(), {"_id": "x", "unheard_of": 1, "ordinal": 3}) == Sample(ordinal=3)
