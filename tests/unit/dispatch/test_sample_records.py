from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data_files import TASKS

from libra.core.errors import Invalid
from libra.dispatch.tasks.sample_records import MAX_RECORD_BYTES, parse_samples
from libra.v1.task_pb2 import Sample

HELLO = b'{"messages": [{"role": "system", "content": ""}, {"role": "user", "content": "Hello"}]}'


def turns(*contents: str) -> list[dict[str, str]]:
    return [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(contents)]


def line(messages: Any = None, **fields: Any) -> bytes:
    return json.dumps({"messages": turns("Hello") if messages is None else messages, **fields}).encode()


def test_a_record_becomes_a_sample() -> None:
    record = {
        "id": "one",
        "messages": [{"role": "system", "content": "Be brief."}, *turns("Hi", "Hi.", "Who are you?")],
        "answer": "a model",
        "n": 3,
        "share": 0.5,
        "hard": True,
        "source": None,
        "tags": ["a", {"b": "ü"}],
    }
    [sample] = parse_samples([json.dumps(record).encode()], file_name="mine.jsonl")
    assert (sample.ordinal, sample.id) == (0, "one")
    assert [message.role for message in sample.messages] == ["system", "user", "assistant", "user"]
    assert dict(sample.fields) == {
        "answer": "a model",
        "n": "3",
        "share": "0.5",
        "hard": "true",
        "source": "null",
        "tags": '["a", {"b": "ü"}]',
    }


def test_an_empty_system_message_is_dropped() -> None:
    [sample] = parse_samples([HELLO], file_name="mine.jsonl")
    assert [(message.role, message.content) for message in sample.messages] == [("user", "Hello")]


def test_the_id_of_a_sample_without_one_is_its_ordinal() -> None:
    samples = parse_samples([b"\n".join([line(), line(id=17), line(id=None)])], file_name="mine.jsonl")
    assert [(sample.ordinal, sample.id) for sample in samples] == [(0, "0"), (1, "17"), (2, "2")]


@pytest.mark.parametrize("data", [HELLO, HELLO + b"\n", HELLO + b"\r\n", HELLO + b"\n\n \n", b"\xef\xbb\xbf" + HELLO])
def test_line_endings_and_trailing_blank_lines_do_not_matter(data: bytes) -> None:
    assert len(parse_samples([data], file_name="mine.jsonl")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "".join(map(chr, range(32))) + "\x7f\x85\x9b[31m",
        "\u2028 \u2029 \ufeff \u202e reversed",
        "নমস্কার 你好 مرحبا Здравствуй नमस्ते こんにちは 안녕 שלום สวัสดี γειά 😀 𝔘 e\u0301",
        "x" * 1_000_000,
    ],
)
def test_text_is_unchanged(text: str) -> None:
    for ascii_only in (True, False):
        data = json.dumps({"messages": turns(text), "kept": text}, ensure_ascii=ascii_only).encode()
        [sample] = parse_samples([data], file_name="mine.jsonl")
        assert (sample.messages[0].content, sample.fields["kept"]) == (text, text)
        assert Sample.FromString(sample.SerializeToString()) == sample


@given(text=st.text(max_size=30), cuts=st.lists(st.integers(0, 400), max_size=5))
def test_the_size_of_the_pieces_does_not_matter(text: str, cuts: list[int]) -> None:
    rows = [json.dumps({"messages": turns(text), "n": n}, ensure_ascii=False) for n in range(3)]
    data = b"\xef\xbb\xbf" + "\n".join(rows).encode()
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(places)]
    assert parse_samples(pieces, file_name="mine.jsonl") == parse_samples([data], file_name="mine.jsonl")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "mine.jsonl has 0 bytes"),
        (b"\n \n", "mine.jsonl has no records"),
        (b"\xef\xbb\xbf", "mine.jsonl has no records"),
        (b"\n".join([HELLO] * 16 + [b'{"messages": [}']), "mine.jsonl, line 17: it is not JSON: Expecting value"),
        (HELLO + b"\n\n" + HELLO, "mine.jsonl, line 2 is blank, but records follow"),
        (HELLO + b"\n" + HELLO[:-1] + b', "x": "\xff"}', "line 2: it is not UTF-8: byte 95 of the line is 0xff"),
        ("é".encode("latin-1") + HELLO, "line 1: it is not UTF-8: byte 1 of the line is 0xe9"),
        (HELLO.decode().encode("utf-16"), "line 1: it is not UTF-8"),
        (HELLO + b"\n" + HELLO[:20], "line 2: it is not JSON"),
        (HELLO + b" x", "line 1: it is not JSON: Extra data"),
        (b"[1]", "line 1, record 1: a record must be an object, not 1"),
        (b'"hello"', 'a record must be an object, not "hello"'),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"n": ' + b"9" * 5000 + b"}", "line 1: it cannot be read"),
        (line(n=float("nan")), "NaN is not a number of JSON"),
        (HELLO[:-1] + b', "n": 1e999}', "a number that is too large"),
        (b'{"a": 1, "a": 2}', 'the key "a" occurs twice'),
        (b'{"question": "Hello"}', "line 1: the record has no messages"),
        (line([]), "messages must be a list of at least one"),
        (line({"role": "user", "content": "Hello"}), "messages must be a list of at least one"),
        (line(["Hello"]), "messages[0] must be an object with role and content"),
        (line([{"role": "user"}]), "messages[0] must be an object with role and content"),
        (line([{"role": "user", "content": "a", "name": "b"}]), "and nothing else"),
        (line([{"role": "usr", "content": "a"}]), "messages[0]: there is no role 'usr': did you mean user"),
        (line([{"role": "tool", "content": "a"}]), "valid names: assistant, system, user"),
        (line([{"role": 1, "content": "a"}]), "messages[0]: role must be text"),
        (line([{"role": "user", "content": ["a"]}]), 'messages[0]: content must be text, not ["a"]'),
        (line([{"role": "user", "content": None}]), "content must be text, not null"),
        (line(turns("Hi", "Hi.")), "must end with a user's turn; the last is the assistant's"),
        (line([{"role": "system", "content": "Hi"}]), "must end with a user's turn; the last is the system's"),
        (line([{"role": "system", "content": ""}]), "must end with a user's turn; there is none"),
        (line(id="a") + b"\n" + line(id="b") + b"\n" + line(id="a"), 'line 3: the id "a" is already used in line 1'),
        (line(id="1") + b"\n" + line(), 'line 2: the id "1" is already used in line 1'),
        (line(id=1.5), "id must be text or a whole number, not 1.5"),
        (line(id=True), "id must be text or a whole number, not true"),
        (line(id=""), "id must have 1 to 200 characters, not 0"),
        (line(id="i" * 201), "id must have 1 to 200 characters, not 201"),
        (line(turns("a \ud83d b")), "line 1: it has \\ud83d, half of a surrogate pair"),
        (line(x={"deep": ["\udc00"]}), "it has \\udc00"),
        (line(**{"\ud800": "a"}), "it has \\ud800"),
        (line(turns("a" * MAX_RECORD_BYTES)), "bytes of text; the limit is 2,097,152"),
        (line(answer="a" * MAX_RECORD_BYTES), "bytes of text; the limit is 2,097,152"),
    ],
)  # fmt: skip
def test_an_error_names_the_file_and_the_line(data: bytes, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_samples([data], file_name="mine.jsonl")
    assert caught.value.message.startswith("mine.jsonl")
    assert message in caught.value.message
    assert caught.value.field == "data"
    assert len(caught.value.message) < 400
    caught.value.message.encode()  # the message is valid UTF-8


def test_a_complete_surrogate_pair_is_one_character() -> None:
    [sample] = parse_samples([line(turns("\U0001f600"))], file_name="mine.jsonl")
    assert sample.messages[0].content == "\U0001f600"


@pytest.mark.parametrize(
    ("name", "count", "fields"),
    [
        ("do_not_answer", 61, {"risk_area", "types_of_harm", "specific_harms"}),
        ("harmfulq", 200, {"risk_area", "types_of_harm", "specific_harms", "seed"}),
        ("prompt_extraction_robustness", 150, {"pre_prompt", "post_prompt", "seed", "access_code"}),
        ("simple_safety_test", 100, {"category", "harm_area"}),
        ("truthful_qa_mc1", 300, {"answer"}),
        ("xstest", 450, {"type", "final_label"}),
    ],
)
def test_the_samples_of_six_tasks_are_parsed(name: str, count: int, fields: set[str]) -> None:
    samples = parse_samples([(TASKS / f"{name}.jsonl").read_bytes()], file_name=f"{name}.jsonl")
    assert len(samples) == count
    assert all(sample.fields.keys() == fields for sample in samples)
    assert all(sample.messages[-1].role == "user" for sample in samples)


@given(data=st.binary(max_size=60))
def test_random_bytes_are_rejected_with_a_message(data: bytes) -> None:
    with pytest.raises(Invalid, match=r"^mine\.jsonl"):
        parse_samples([data], file_name="mine.jsonl")
