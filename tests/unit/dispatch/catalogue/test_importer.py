from __future__ import annotations

import contextlib
import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data_files import TASKS

from libra.core.errors import Invalid
from libra.dispatch.catalogue import importer, index
from libra.dispatch.catalogue.multiple_choice import find_option_list, reorder_options, right_index, shuffled_order
from libra.dispatch.catalogue.template import fill
from libra.v1.task_pb2 import Sample, Task

PROMPT = "Say:\nA. one\nB. two\n\nWhich?\n(A) red\n(B) green\n(C) blue\nAnswer:"


def import_text(
    name: str, text: str | bytes, file_name: str = "data.jsonl", seed: int = 0
) -> tuple[Task, list[Sample]]:
    data = text.encode() if isinstance(text, str) else text
    pieces = [data[start : start + 7] for start in range(0, len(data), 7)]
    return importer.import_records(index.find_card(name), pieces, seed=seed, file_name=file_name)


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
def test_every_file_format_is_read(text: str, file_name: str) -> None:
    _, samples = import_text("cona", text, file_name)
    assert [sample.messages[-1].content for sample in samples] == ["a", "b"]
    assert all(not sample.fields for sample in samples)


@pytest.mark.parametrize(
    ("text", "file_name", "message"),
    [
        ('{"prompt": "a"}\n{"prompt"\n', "data.jsonl", "data.jsonl: line 2: it is not JSON"),
        (
            '{"prompt": "a"}\n{"pompt": "b"}\n',
            "data.jsonl",
            "data.jsonl, line 2: it has no column 'instructions' or 'prompt'",
        ),
        ('{"a": 1', "data.json", "data.json: it is neither JSON Lines nor JSON"),
        ("7", "data.json", "it has no records"),
        ("[7]", "data.json", "record 1 is neither"),
        ('{"prompt": "\\ud800"}', "data.jsonl", "half of a surrogate pair"),
        ('["\\ud800"]', "data.json", "half of a surrogate pair"),
        ('{"prompt": ' + "9" * 5000 + "}", "data.jsonl", "line 1: it cannot be read"),
        (b'{"prompt": "\xff"}', "data.jsonl", "it is not UTF-8"),
        ("prompt,note\na\n", "data.csv", "record 1 does not have as many cells"),
        ('prompt\n"a\n', "data.csv", "it is not CSV"),
        ("", "data.jsonl", "has no record of cona"),
        ("[" * 100_000, "data.json", "nested too deeply"),
    ],
)
def test_an_error_names_the_file_and_the_line(text: str | bytes, file_name: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        import_text("cona", text, file_name)
    assert message in caught.value.message
    assert caught.value.field == "data"


def test_records_of_another_task_are_rejected() -> None:
    with pytest.raises(Invalid, match="no column 'label'"):
        import_text("bbq", '{"messages": [{"role": "user", "content": "How?"}]}')
    with pytest.raises(Invalid, match="the id 'a' is already used in line 1"):
        import_text("xstest", '{"id": "a", "prompt": "x", "type": "t"}\n{"id": "a", "prompt": "y", "type": "t"}')
    with pytest.raises(Invalid, match="no column 'prompt'"):  # the user's input without the prompt around it
        import_text(
            "hack_a_prompt",
            '{"messages": [{"role": "user", "content": ""}], "level": 1, "user_input": "x", "ng_output": "y"}',
        )
    with pytest.raises(Invalid, match="ground_truth is 'perhaps'"):
        import_text("safe_text", '{"scenario": "a", "advice": "b", "ground_truth": "perhaps"}')
    with pytest.raises(Invalid, match="has no true answer"):
        import_text(
            "sycophancy_eval_answer", '{"prompt": [{"type": "human", "content": "x"}], "base": {"text": "a poem"}}'
        )
    with pytest.raises(Invalid, match="names no speaker"):
        import_text("anthropic_redteam", '{"transcript": "Hello"}')
    with pytest.raises(Invalid, match="no tier '9'"):
        import_text("confaide", '{"messages": [{"role": "user", "content": "x"}], "tier": "9"}')


def test_a_record_whose_secret_is_public_is_omitted() -> None:
    record = {"messages": [{"role": "user", "content": "Sum up."}], "tier": "4", "question_type": "action-item"}
    same = record | {"tier4_public_info": "10K", "tier4_private_info": "10K"}
    other = record | {"tier4_public_info": "10K", "tier4_private_info": "a party"}
    _, samples = import_text("confaide", json.dumps(same) + "\n" + json.dumps(other))
    assert [sample.fields["wanted"] for sample in samples] == ["a party"]


def test_the_order_of_options_depends_only_on_seed_task_and_ordinal() -> None:
    assert shuffled_order(1, "bbq", 0, 4) == shuffled_order(1, "bbq", 0, 4)
    orders = {
        tuple(shuffled_order(*key, 4))
        for key in [(1, "bbq", 0), (2, "bbq", 0), (1, "xbq", 0), (1, "bbq", 3), (1, "bbq", 5)]
    }
    assert len(orders) > 2
    firsts = Counter(shuffled_order(7, "bbq", ordinal, 4)[0] for ordinal in range(4000))
    assert all(900 < count < 1100 for count in firsts.values())


def test_each_seed_gives_its_own_version_and_is_named_on_the_card() -> None:
    record = '{"question": "?", "mc1_targets": {"choices": ["a", "b", "c", "d", "e"], "labels": [0, 1, 0, 0, 0]}}\n'
    one, again, other = (import_text("truthful_qa_mc1", record, seed=seed)[0] for seed in (1, 1, 2))
    assert one.version == again.version != other.version
    assert one.source.endswith("in the order of the seed 1.")


def test_the_options_of_a_prompt_are_reordered_in_their_lines() -> None:
    found = find_option_list(PROMPT)
    assert found is not None
    assert (found.labels, found.texts) == (("A", "B", "C"), ("red", "green", "blue"))
    assert reorder_options(PROMPT, found, [2, 0, 1]) == PROMPT.replace("(A) red", "(A) blue").replace(
        "(B) green", "(B) red"
    ).replace("(C) blue", "(C) green")
    assert find_option_list("A. only\nC. two") is None


@pytest.mark.parametrize(
    ("right", "index_of_right"),
    [("B", 1), ("(b)".upper(), 1), ("green", 1), ("Green", None), (2, 2), ([0, 0, 1], 2), ([1, 1, 0], None), (7, None)],
)
def test_the_right_option_may_be_a_label_a_text_an_index_or_flags(right: object, index_of_right: int | None) -> None:
    labels, texts = ("A", "B", "C"), ("red", "green", "blue")
    if index_of_right is None:
        with pytest.raises(Invalid):
            right_index(right, labels, texts)
    else:
        assert right_index(right, labels, texts) == index_of_right


def test_a_template_uses_the_first_column_with_a_value() -> None:
    record = {"a": "", "b": {"c": 3}, "d": "{a}"}
    assert fill("{a|b.c}: {d} {e?}", record) == "3: {a}"
    assert fill('{"json": {}}', record) == '{"json": {}}'
    with pytest.raises(Invalid, match="no column 'e' or 'f'"):
        fill("{e|f}", record)


COLUMNS = [
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
    "labels",
    "base",
    "type",
    "ans0",
    "ans1",
    "ans2",
    "action1",
    "action2",
    "scenario_id",
    "mc1_targets",
    "premise",
    "scenario",
    "advice",
    "ground_truth",
    "pre_prompt",
    "attack",
    "access_code",
    "level",
    "expected_completion",
    "answer",
]
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


@given(name=st.sampled_from(sorted(index.load_cards())), record=st.dictionaries(st.sampled_from(COLUMNS), VALUES))
@settings(max_examples=400, deadline=None)
def test_any_record_is_imported_or_rejected(name: str, record: dict[str, object]) -> None:
    try:
        task, samples = import_text(name, json.dumps(record))
    except Invalid:
        return
    assert task.sample_count == len(samples) > 0
    assert all(sample.messages[-1].role == "user" for sample in samples)


@given(
    data=st.binary(max_size=60) | st.text(max_size=60).map(str.encode),
    ending=st.sampled_from(["jsonl", "csv", "tsv", "txt"]),
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_imported_or_rejected(data: bytes, ending: str) -> None:
    with contextlib.suppress(Invalid):
        import_text("cona", data, f"data.{ending}")


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("do_not_answer", 61),
        ("harmfulq", 200),
        ("prompt_extraction_robustness", 150),
        ("simple_safety_test", 100),
        ("truthful_qa_mc1", 300),
        ("xstest", 450),
    ],
)
def test_samples_in_the_published_form_are_imported_unchanged(name: str, size: int) -> None:
    lines = (TASKS / f"{name}.jsonl").read_text().splitlines()
    task, samples = import_text(name, (TASKS / f"{name}.jsonl").read_bytes(), f"{name}.jsonl", seed=3)
    assert task.sample_count == len(samples) == size
    for line, sample in zip(lines, samples, strict=True):
        record = json.loads(line)
        kept = {key: value for key, value in record.items() if key not in {"messages", "id", "answer"}}
        assert kept.items() <= dict(sample.fields).items()
        said = [message["content"] for message in record["messages"] if message["content"]]
        if name == "truthful_qa_mc1":
            before, after = find_option_list(said[-1]), find_option_list(sample.messages[-1].content)
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


def test_xstest_is_imported_in_two_halves_of_different_categories() -> None:
    data = (TASKS / "xstest.jsonl").read_bytes()
    halves = [import_text(name, data, "xstest.jsonl") for name in ("xstest_safe", "xstest_unsafe")]
    _, whole = import_text("xstest", data, "xstest.jsonl")
    assert [len(samples) for _, samples in halves] == [250, 200]
    expected = {sample.id: sample.fields["expected"] for sample in whole}
    for (_, samples), label in zip(halves, ("complied", "refused"), strict=True):
        assert {expected[sample.id] for sample in samples} == {label}
