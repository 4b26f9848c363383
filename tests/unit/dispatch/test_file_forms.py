"""The forms of an imported file: each gives the same samples, and a file in another form is refused with a remedy."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest

from libra.core.errors import Invalid
from libra.dispatch.task_service import open_import
from libra.dispatch.tasks import task_version
from libra.dispatch.tasks.id_index import IdIndex
from libra.v1.task_pb2 import ImportTaskHeader, Sample, Task

CARD = "name: sums\ncategory: capability\njudge: {name: number, options: {field: answer}}\n"
RECORDS = [{"id": f"r{n}", "prompt": f"What is {n} + é?\nSay it.", "answer": f"{n}"} for n in range(3)]
LINES = "\n".join(json.dumps(record) for record in RECORDS)
TABLE = "id,prompt,answer\n" + "".join(f'r{n},"What is {n} + é?\nSay it.",{n}\n' for n in range(3))


def imported(data: bytes, file_name: str = "sums.jsonl", mapping: str = "") -> tuple[Task, list[Sample]]:
    header, file = ImportTaskHeader(card_yaml=CARD + mapping, file_name=file_name), io.BytesIO(data)
    opened = open_import(header, file)
    return task_version.to_task(opened.card, opened.samples), list(open_import(header, file).samples)


def refusal(data: bytes, file_name: str = "sums.jsonl", mapping: str = "") -> str:
    with pytest.raises(Invalid) as caught:
        imported(data, file_name, mapping)
    return caught.value.message


FORMS = {
    "lines.jsonl": LINES,
    "crlf.jsonl": LINES.replace("\n", "\r\n"),
    "array.json": json.dumps(RECORDS),
    "pretty_array.json": json.dumps(RECORDS, indent=4),
    "array.jsonl": json.dumps(RECORDS, indent=2, ensure_ascii=False),
    "pretty.jsonl": "\n".join(json.dumps(record, indent=2) for record in RECORDS),
    "pretty_apart.jsonl": "\n\n".join(json.dumps(record, indent=2) for record in RECORDS),
    "adjacent.jsonl": "".join(json.dumps(record) for record in RECORDS),
    "table.csv": TABLE,
    "table_of_windows.CSV": TABLE.replace("\n", "\r\n").replace("?\r\n", "?\n"),
    "semicolons.csv": TABLE.replace(",", ";"),
    "tabs.tsv": TABLE.replace(",", "\t"),
    "index.csv": ",id,prompt,answer\n" + "".join(f'{n},r{n},"What is {n} + é?\nSay it.",{n}\n' for n in range(3)),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_every_form_gives_the_same_version(name: str, is_compressed: bool, mark: bytes) -> None:  # noqa: FBT001 - a parameter of the test
    data = mark + FORMS[name].encode()
    task, samples = imported(gzip.compress(data) if is_compressed else data, name + ".gz" * is_compressed)
    assert [sample.id for sample in samples] == ["r0", "r1", "r2"]
    assert task.version == imported(LINES.encode())[0].version


def test_parquet_gives_the_same_version() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(RECORDS), file)
    for data in (file.getvalue(), gzip.compress(file.getvalue())):
        assert imported(data, "sums.parquet")[0].version == imported(LINES.encode())[0].version
    assert "it is not valid Parquet" in refusal(file.getvalue()[:-9], "sums.parquet")


def test_two_gzip_members_are_one_file() -> None:
    first, rest = LINES.encode()[:40], LINES.encode()[40:]
    assert len(imported(gzip.compress(first) + gzip.compress(rest))[1]) == 3


def test_a_comma_after_each_line_is_explained() -> None:
    assert "a comma follows the record" in refusal(LINES.replace("\n", ",\n").encode())


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (gzip.compress(LINES.encode(), mtime=0)[:-10], "a.jsonl.gz", "incomplete gzip"),
        (LINES.encode("utf-16"), "a.jsonl", "line 1: it is not UTF-8 but UTF-16; save the file as UTF-8"),
        (b"PK\x03\x04rest", "a.xlsx", "unpack it, or save it as CSV"),
        (b"prompt,answer\nq,1\ncaf\xe9,2\n", "a.csv", "a.csv, line 3: it is not UTF-8"),
        (b'prompt,answer\n"q\nr",1\ns\n', "a.csv", "line 4 has 1 cells for 2 columns"),
        (b'prompt,answer\n"q\nr",1\ns,\n', "a.csv", "a.csv, line 4: the record has no field 'answer'"),
        (b'prompt,answer\n"q"r,1\n', "a.csv", "a.csv, line 2: it is not CSV"),
        (b"prompt,answer,answer\nq,1,2\n", "a.csv", "the column 'answer' occurs twice"),
        (b"prompt,answer\n", "a.csv", "a.csv has no records"),
        (b"[]", "a.json", "a.json has no records"),
        (b'[{"prompt": "q", "answer": 1},\n{"prompt": "r", "answer": NaN}]', "a.json", "record 2: it is not JSON: NaN"),
        (b'[{"prompt": "q", "answer": 1}\n{"prompt": "r"}]', "a.json", "line 2: a comma or ] must follow record 1"),
        (b'[{"prompt": "q", "answer": 1},\n', "a.json", "record 2: it is not JSON"),
        (b'[{"prompt": "q", "answer": 1}]\n7', "a.json", "line 2: nothing may follow"),
        (b'[{"prompt": "q", "answer": 1},\n{"prompt": "caf\xe9"}]', "a.json", "line 2: it is not UTF-8"),
        (b'{\n"prompt": "q", "answer": 1\n}\n{\n"prompt": "q"\n}', "a.jsonl", "line 4, record 2: the record has no"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_line_and_the_cause(data: bytes, name: str, message: str) -> None:
    assert message in refusal(data, name)


def line(**record: Any) -> bytes:
    return json.dumps(record).encode()


TURNS = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]


@pytest.mark.parametrize(
    ("record", "mapping"),
    [
        ({"input": TURNS, "ideal": "4"}, "mapping: {messages: input, fields: {answer: ideal}}"),
        ({"input": TURNS, "target": "4"}, "mapping: {messages: input, fields: {answer: target}}"),
        ({"messages": TURNS, "ideal": "4"}, "mapping: {fields: {answer: ideal}}"),
        ({"input": "q", "target": "4"}, "mapping: {prompt: input, fields: {answer: target}}"),
        ({"question": "q", "answer": "4"}, "mapping: {prompt: question}"),
        (
            {"conversations": [{"from": "human", "value": "q"}], "answer": "4"},
            "mapping: {messages: conversations}",
        ),
        (
            {"messages": [{"role": "user", "content": "q", "name": "ann"}], "answer": "4"},
            "mapping: {ignore: [name]}",
        ),
    ],
)
def test_the_message_says_which_mapping_is_missing_and_it_works(record: dict[str, Any], mapping: str) -> None:
    assert mapping in refusal(line(**record))
    task, [sample] = imported(line(**record), mapping=mapping)
    assert sample.messages[-1].content == "q"
    assert dict(sample.fields) == {"answer": "4"}
    assert (
        task.version
        == imported(line(messages=[*TURNS[:-1] * (len(sample.messages) > 1), TURNS[-1]], answer="4"))[0].version
    )


def test_common_shapes_of_messages_are_taken() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    developer = {"role": "developer", "content": "s"}
    _, [sample] = imported(line(messages=[developer, {"role": "user", "content": parts}], answer=4))
    assert [(message.role, message.content) for message in sample.messages] == [("system", "s"), ("user", "a\nb")]
    picture = {"type": "image_url", "image_url": {"url": "x"}}
    assert "part 1 is" in refusal(line(messages=[{"role": "user", "content": [parts[0], picture]}], answer=4))


def test_a_mapping_reaches_into_objects_and_has_a_system_column() -> None:
    record = line(q="q", sys="s", key=7, metadata={"answer": "4"}, note="n")
    _, [sample] = imported(
        record, mapping="mapping: {prompt: q, system: sys, id: key, fields: {answer: metadata.answer}}"
    )
    assert (sample.id, [message.role for message in sample.messages]) == ("7", ["system", "user"])
    assert dict(sample.fields) == {"answer": "4", "note": "n", "metadata": '{"answer": "4"}'}


def test_a_record_with_messages_keeps_its_prompt_as_a_field() -> None:
    _, [sample] = imported(line(messages=TURNS, prompt="p", answer="4"))
    assert dict(sample.fields) == {"answer": "4", "prompt": "p"}


def test_an_unknown_key_of_the_mapping_is_refused() -> None:
    assert "there is no key 'mapping.message'" in refusal(line(), mapping="mapping: {message: input}")


def test_a_repeated_id_is_found_among_many() -> None:
    index = IdIndex()
    assert all(index.add(f"id {number}", number) == number for number in range(5000))
    assert [index.add(f"id {number}", 9999) for number in range(5000)] == list(range(5000))
    assert len(index) == 5000


PROMPTS_ONLY = [
    (b'\xef\xbb\xbfid,prompt,type,label\r\n1,"How do I ""kill"" it,\r\nplease?",a,safe\r\n2,q,b,unsafe\r\n', "a.csv"),
    (b"id\tprompt\tnote\n1\tq\t\n2\tr\tx\n", "a.tsv"),
    (b'{"prompt": "q"}\n{"prompt": "r", "answer": null}\n', "a.jsonl"),
    (b'[{"messages": [{"role": "user", "content": "q"}], "label": "x"}, {"prompt": "r", "answer": ""}]', "a.json"),
]


@pytest.mark.parametrize(("data", "name"), PROMPTS_ONLY)
def test_prompts_without_the_field_of_the_judge_are_imported_with_a_warning(data: bytes, name: str) -> None:
    header, file = ImportTaskHeader(card_yaml=CARD, file_name=name), io.BytesIO(data)
    opened = open_import(header, file)
    assert len(list(opened.samples)) == 2
    [warning] = opened.required.warnings("mine")
    assert "no record has the field 'answer'" in warning
    assert "--judge mine=JUDGE" in warning
    assert "mapping: {fields: {answer: " in warning


def test_a_file_with_the_field_in_all_records_has_no_warning() -> None:
    opened = open_import(ImportTaskHeader(card_yaml=CARD), io.BytesIO(LINES.encode()))
    assert len(list(opened.samples)) == 3
    assert opened.required.warnings("mine") == []


def test_a_field_that_only_a_later_record_has_is_refused() -> None:
    data = b'{"prompt": "q"}\n{"prompt": "r"}\n{"prompt": "s", "answer": 1}'
    assert "line 3: the record has the field 'answer', which the card's judge reads, but line 1 has not" in refusal(
        data
    )
