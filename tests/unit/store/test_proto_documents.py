from __future__ import annotations

from datetime import UTC, datetime

import bson
from google.protobuf.message import Message as AnyMessage
from hypothesis import given
from hypothesis import strategies as st

from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import from_document, to_document
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.run_pb2 import OutcomeCounts, Run, RunSpec
from libra.v1.task_pb2 import Sample

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
messages = st.lists(st.builds(Message, role=text, content=text), max_size=3)


def round_trip(message: AnyMessage) -> dict[str, object]:
    return bson.decode(bson.encode(to_document(message)), bson.CodecOptions(tz_aware=True))


@given(ordinal=st.integers(0, 2**31 - 1), conversation=messages, fields=st.dictionaries(text, text, max_size=4))
def test_a_sample_survives_the_round_trip_with_any_keys(
    ordinal: int, conversation: list[Message], fields: dict[str, str]
) -> None:
    sample = Sample(ordinal=ordinal, messages=conversation, fields=fields)
    assert from_document(Sample(), round_trip(sample)) == sample


def test_keys_that_a_document_does_not_allow_survive_the_round_trip() -> None:
    sample = Sample(fields={"a.b": "1", "$set": "2", "": "3", "nul\0": "4"})
    assert from_document(Sample(), round_trip(sample)) == sample


def test_a_field_set_to_zero_differs_from_an_unset_field() -> None:
    zero = GenerationParameters(temperature=0.0, seed=0)
    back = from_document(GenerationParameters(), round_trip(zero))
    assert back == zero
    assert not back.HasField("top_p")


def test_times_are_stored_to_the_millisecond_and_empty_messages_are_stored() -> None:
    run = Run(id="r", spec=RunSpec(models=["a", "b.1"]), counts=OutcomeCounts())
    run.create_time.FromDatetime(datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC))
    back = from_document(Run(), round_trip(run))
    assert back == run
    assert back.HasField("counts")
    assert now().microsecond % 1000 == 0


def test_keys_that_are_not_fields_are_ignored() -> None:
    assert from_document(Sample(), {"_id": "x", "unknown": 1, "ordinal": 3}) == Sample(ordinal=3)
