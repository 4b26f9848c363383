from __future__ import annotations

import contextlib
import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data_files import TASKS

from libra.dispatch.catalogue import importing, library
from libra.dispatch.catalogue.choices import listing, order, relisted, right_place
from libra.dispatch.catalogue.template import filled
from libra.errors import Invalid
from libra.v1.task_pb2 import Sample, Task

PROMPT = "Say:\nA. one\nB. two\n\nWhich?\n(A) red\n(B) green\n(C) blue\nAnswer:"


def of(name: str, text: str | bytes, file_name: str = "data.jsonl", seed: int = 0) -> tuple[Task, list[Sample]]:
    data = text.encode() if isinstance(text, str) else text
    pieces = [data[start : start + 7] for start in range(0, len(data), 7)]
    return importing.read(library.named(name), pieces, seed=seed, file_name=file_name)


@pytest.mark.parametrize(
    ("text", "file_name"),
    [
        ('{"prompt": "a"}\n\n{"prompt": "b"}\n', "data.jsonl"),
        ('\ufeff{"prompt": "a", "x": NaN, "y": null}\n{"prompt": "b"}', "data.json"),
        ('["a", "b"]', "data.json"),
        ('[\n  {"prompt": "a"},\n  {"prompt": "b"}\n]\n', "data.json"),
        ('{\n  "instructions": [\n    "a",\n    "b"\n  ],\n  "inputs": []\n}', "data.json"),
        ('{"rows": [{"prompt": "a"}, {"prompt": "b"}]}', "data.json"),
        ("prompt,note\na,\nb,x\n", "data.csv"),
        ("\ufeffnote\tprompt\r\n\ta\r\n\tb\r\n", "DATA.TSV"),
        ("a\n\nb\n", "data.txt"),
    ],
)
def test_a_file_is_read_in_the_form_it_has(text: str, file_name: str) -> None:
    _, samples = of("cona", text, file_name)
    assert [sample.messages[-1].content for sample in samples] == ["a", "b"]
    assert all(not sample.fields for sample in samples)


@pytest.mark.parametrize(
    ("text", "file_name", "word"),
    [
        ('{"prompt": "a"}\n{"prompt"\n', "data.jsonl", "data.jsonl: line 2: it is not JSON"),
        (
            '{"prompt": "a"}\n{"pompt": "b"}\n',
            "data.jsonl",
            "data.jsonl, line 2: it has no column 'instructions' or 'prompt'",
        ),
        ('{"a": 1', "data.json", "data.json: it is neither JSON Lines nor JSON"),
        ("7", "data.json", "it holds no records"),
        ("[7]", "data.json", "record 1 is neither"),
        ('{"prompt": "\\ud800"}', "data.jsonl", "half of a surrogate pair"),
        ('["\\ud800"]', "data.json", "half of a surrogate pair"),
        ('{"prompt": ' + "9" * 5000 + "}", "data.jsonl", "line 1: it cannot be read"),
        (b'{"prompt": "\xff"}', "data.jsonl", "it is not UTF-8"),
        ("prompt,note\na\n", "data.csv", "record 1 has another number of cells"),
        ('prompt\n"a\n', "data.csv", "it is not CSV"),
        ("", "data.jsonl", "holds no record of cona"),
        ("[" * 100_000, "data.json", "nested too deeply"),
    ],
)
def test_a_file_with_a_fault_is_refused_and_the_place_named(text: str | bytes, file_name: str, word: str) -> None:
    with pytest.raises(Invalid) as caught:
        of("cona", text, file_name)
    assert word in caught.value.message
    assert caught.value.field == "data"


def test_records_of_another_task_are_refused() -> None:
    with pytest.raises(Invalid, match="no column 'label'"):
        of("bbq", '{"messages": [{"role": "user", "content": "How?"}]}')
    with pytest.raises(Invalid, match="the id 'a' is that of line 1"):
        of("xstest", '{"id": "a", "prompt": "x", "type": "t"}\n{"id": "a", "prompt": "y", "type": "t"}')
    with pytest.raises(Invalid, match="no column 'prompt'"):  # what was typed, without the prompt around it
        of(
            "hack_a_prompt",
            '{"messages": [{"role": "user", "content": ""}], "level": 1, "user_input": "x", "ng_output": "y"}',
        )
    with pytest.raises(Invalid, match="ground_truth is 'perhaps'"):
        of("safe_text", '{"scenario": "a", "advice": "b", "ground_truth": "perhaps"}')
    with pytest.raises(Invalid, match="does not say what is true"):
        of("sycophancy_eval_answer", '{"prompt": [{"type": "human", "content": "x"}], "base": {"text": "a poem"}}')
    with pytest.raises(Invalid, match="names no speaker"):
        of("dices350", '{"transcript": "Hello."}')
    with pytest.raises(Invalid, match="no tier '9'"):
        of("confaide", '{"messages": [{"role": "user", "content": "x"}], "tier": "9"}')


def test_a_secret_that_may_be_told_cannot_be_judged() -> None:
    record = {"messages": [{"role": "user", "content": "Sum up."}], "tier": "4", "question_type": "action-item"}
    same = record | {"tier4_public_info": "10K", "tier4_private_info": "10K"}
    other = record | {"tier4_public_info": "10K", "tier4_private_info": "a party"}
    _, samples = of("confaide", json.dumps(same) + "\n" + json.dumps(other))
    assert [sample.fields["wanted"] for sample in samples] == ["a party"]


def test_the_order_of_options_depends_on_seed_task_and_place_alone() -> None:
    assert order(1, "bbq", 0, 4) == order(1, "bbq", 0, 4)
    orders = {
        tuple(order(*key, 4)) for key in [(1, "bbq", 0), (2, "bbq", 0), (1, "xbq", 0), (1, "bbq", 3), (1, "bbq", 5)]
    }
    assert len(orders) > 2
    firsts = Counter(order(7, "bbq", place, 4)[0] for place in range(4000))
    assert all(900 < count < 1100 for count in firsts.values())


def test_a_seed_makes_a_version_of_its_own_and_stands_on_the_card() -> None:
    record = '{"question": "?", "mc1_targets": {"choices": ["a", "b", "c", "d", "e"], "labels": [0, 1, 0, 0, 0]}}\n'
    one, again, other = (of("truthful_qa_mc1", record, seed=seed)[0] for seed in (1, 1, 2))
    assert one.version == again.version != other.version
    assert one.source.endswith("in the order of the seed 1.")


def test_options_are_listed_anew_where_they_stand() -> None:
    found = listing(PROMPT)
    assert found is not None
    assert (found.labels, found.texts) == (("A", "B", "C"), ("red", "green", "blue"))
    assert relisted(PROMPT, found, [2, 0, 1]) == PROMPT.replace("(A) red", "(A) blue").replace(
        "(B) green", "(B) red"
    ).replace("(C) blue", "(C) green")
    assert listing("A. only\nC. two") is None


@pytest.mark.parametrize(
    ("told", "place"),
    [("B", 1), ("(b)".upper(), 1), ("green", 1), ("Green", None), (2, 2), ([0, 0, 1], 2), ([1, 1, 0], None), (7, None)],
)
def test_the_right_option_is_told_in_many_ways(told: object, place: int | None) -> None:
    labels, texts = ("A", "B", "C"), ("red", "green", "blue")
    if place is None:
        with pytest.raises(Invalid):
            right_place(told, labels, texts)
    else:
        assert right_place(told, labels, texts) == place


def test_a_template_takes_the_first_column_that_is_there() -> None:
    record = {"a": "", "b": {"c": 3}, "d": "{a}"}
    assert filled("{a|b.c}: {d} {e?}", record) == "3: {a}"
    assert filled('{"json": {}}', record) == '{"json": {}}'
    with pytest.raises(Invalid, match="no column 'e' or 'f'"):
        filled("{e|f}", record)


COLUMNS = (
    *(
        "prompt",
        "question",
        "messages",
        "instructions",
        "transcript",
        "context",
        "text",
        "tier",
        "question_type",
        "label",
    ),
    *("labels", "base", "type", "ans0", "ans1", "ans2", "action1", "action2", "scenario_id", "mc1_targets", "premise"),
    *(
        "scenario",
        "advice",
        "ground_truth",
        "pre_prompt",
        "attack",
        "access_code",
        "level",
        "expected_completion",
        "answer",
    ),
)
TURNS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": st.text(max_size=9)})
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["A", "2", "²", "safe", "3"])
    | TURNS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["choices", "labels", "content", "answer"]), inner)
    ),
    max_leaves=5,
)


@given(name=st.sampled_from(sorted(library.entries())), record=st.dictionaries(st.sampled_from(COLUMNS), VALUES))
@settings(max_examples=400, deadline=None)
def test_whatever_a_file_holds_it_is_taken_or_refused(name: str, record: dict[str, object]) -> None:
    try:
        task, samples = of(name, json.dumps(record))
    except Invalid:
        return
    assert task.sample_count == len(samples) > 0
    assert all(sample.messages[-1].role == "user" for sample in samples)


@given(
    data=st.binary(max_size=60) | st.text(max_size=60).map(str.encode),
    ending=st.sampled_from(["jsonl", "csv", "tsv", "txt"]),
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_taken_or_refused(data: bytes, ending: str) -> None:
    with contextlib.suppress(Invalid):
        of("cona", data, f"data.{ending}")


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("do_not_answer", 300),
        ("harmfulq", 200),
        ("prompt_extraction_robustness", 150),
        ("simple_safety_test", 100),
        ("truthful_qa_mc1", 300),
        ("xstest", 450),
    ],
)
def test_samples_in_the_published_form_are_imported_unchanged(name: str, size: int) -> None:
    lines = (TASKS / f"{name}.jsonl").read_text().splitlines()
    task, samples = of(name, (TASKS / f"{name}.jsonl").read_bytes(), f"{name}.jsonl", seed=3)
    assert task.sample_count == len(samples) == size
    for line, sample in zip(lines, samples, strict=True):
        record = json.loads(line)
        kept = {key: value for key, value in record.items() if key not in {"messages", "id", "answer"}}
        assert kept.items() <= dict(sample.fields).items()
        said = [message["content"] for message in record["messages"] if message["content"]]
        if name == "truthful_qa_mc1":
            before, after = listing(said[-1]), listing(sample.messages[-1].content)
            assert before is not None
            assert after is not None
            assert sorted(before.texts) == sorted(after.texts)
            assert after.texts[after.labels.index(sample.fields["answer"])] == before.texts[0]
        else:
            assert [message.content for message in sample.messages] == said
    if name == "truthful_qa_mc1":
        assert Counter(sample.fields["answer"] for sample in samples)["A"] < size / 3
    if name == "xstest":
        assert Counter(sample.fields["expected"] for sample in samples) == {"complied": 250, "refused": 200}
