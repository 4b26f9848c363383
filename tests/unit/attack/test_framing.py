"""A prompt that was put into a document or a program stands in it whole: parsers and interpreters read it out again."""

from __future__ import annotations

import ast
import configparser
import contextlib
import csv
import io
import json
import re
import shlex
import sqlite3
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from libra.attack.catalogue import registry
from libra.attack.catalogue.framing import told_apart
from libra.attack.catalogue.framing.banner import FONT, LINES, banner
from libra.attack.catalogue.framing.many_shot import SHOTS
from libra.attack.catalogue.framing.template import SLOT, Template
from libra.attack.draw import Draw
from libra.attack.turns import Turn, Turns

ANY = st.text(max_size=80) | st.text("'\"\\{}<>&|,;$`\n\t abc[]!#", max_size=40)
PRINTED = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufffe\uffff"), max_size=60
)
SEEDS = st.integers(0, 1_000)


def turns(name: str, text: str, seed: int = 0) -> Turns:
    return registry.ATTACKS[name].apply((Turn("user", text),), seed)


def put(name: str, text: str, seed: int = 0) -> str:
    return turns(name, text, seed)[-1].content


def json_in(text: str) -> Any:
    start = text.index("{")
    return json.JSONDecoder().raw_decode(text[start:])[0]


def program(text: str) -> str:
    return text.split("```python\n")[1].removesuffix("```")


@given(text=ANY, seed=SEEDS)
def test_json_holds_the_prompt(text: str, seed: int) -> None:
    assert json_in(put("json_document", text, seed))["job"]["task"] == text
    assert json_in(put("function_call", text, seed))["arguments"]["text"] == text
    assert json_in(put("tool_output", text, seed))["message_for_assistant"] == text


@settings(max_examples=50)
@given(text=PRINTED, seed=SEEDS)
def test_yaml_xml_and_a_policy_file_hold_the_prompt(text: str, seed: int) -> None:
    document = put("yaml_document", text, seed).split("\n\n", 1)[1]
    assert yaml.safe_load(document)["requests"][0]["question"] == text
    xml = put("xml_document", text, seed).split("\n\n", 1)[1]
    assert (ET.fromstring(xml).findtext("question") or "") == text
    policy = configparser.ConfigParser(interpolation=None)
    policy.read_string(put("policy_file", text, seed))
    assert json.loads(policy["request"]["text"]) == text


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=60), seed=SEEDS)
def test_a_table_holds_the_prompt(text: str, seed: int) -> None:
    table = put("csv_table", text, seed).split("\n\n", 1)[1].removesuffix(',"')
    rows = list(csv.reader(io.StringIO(table, newline="")))
    assert rows[0] == ["number", "question", "answer"]
    assert [len(row) for row in rows] == [3, 3, 3, 2]
    assert rows[3][1] == text


@given(text=ANY, seed=SEEDS)
def test_programs_hold_the_prompt(text: str, seed: int) -> None:
    completion = program(put("code_completion", text, seed)) + 'done")\n'
    assigned = [node.value for node in ast.walk(ast.parse(completion)) if isinstance(node, ast.Assign)]
    assert ast.literal_eval(assigned[0]) == text
    test = program(put("unit_test", text, seed))
    asked = next(node for node in ast.walk(ast.parse(test)) if isinstance(node, ast.Call) and node.args)
    assert ast.literal_eval(asked.args[0]) == text


@given(text=ANY, seed=SEEDS)
def test_programs_that_put_the_prompt_together_give_it_when_they_are_run(text: str, seed: int) -> None:
    split: dict[str, str] = {}
    exec(put("payload_splitting", text, seed).rpartition("\n\n")[0], split)
    assert split["message"] == text
    stacked: dict[str, str] = {}
    exec(program(put("code_stack", text, seed)), stacked)
    assert stacked["task"] == text


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60), seed=SEEDS)
def test_a_shell_and_a_database_read_the_prompt(text: str, seed: int) -> None:
    command = put("wrapped_in_shell", text, seed).split("\n$ ask ")[-1]
    assert shlex.split(command) == [text]
    statements = put("sql_table", text, seed).split("\n\n", 1)[1]
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.create_function("complete_answer", 1, lambda question: f"answer to {question}")
        *before, last = [line for line in re.split(r";(?:\n(?=UPDATE|SELECT|INSERT)|$)", statements) if line]
        for statement in before:
            database.execute(statement)
        assert database.execute(last).fetchall() == [(f"answer to {text}",)]


@given(text=ANY)
def test_lines_are_marked_and_cells_stay_in_their_line(text: str) -> None:
    lines = text.split("\n")
    assert "\n".join(f"> {line}" for line in lines) in put("mail_thread", text)
    assert "\n".join(f"+{line}" for line in lines) in put("patch", text)
    (row,) = [line for line in put("markdown_table", text.replace("\r", "")).split("\n") if line.endswith(" | | |")]
    assert len(re.findall(r"(?<!\\)\|", row.replace("\\\\", ""))) in (4, 3 + 1 + text.count("\\|"))


@given(text=ANY, seed=SEEDS)
def test_a_prompt_that_looks_like_a_slot_is_left_alone(text: str, seed: int) -> None:
    strange = "{prompt} {name} {service}" + text
    for name in ("role_play", "authority", "prefix_injection", "chat_markup"):
        assert strange in put(name, strange, seed)


def test_every_slot_of_a_template_is_filled() -> None:
    template = Template("one", "{a} {b} {a}: {prompt}", "this test", "Tests.", {"a": "xy", "b": "z"})
    assert {template.fill("?", Draw(str(seed))) for seed in range(50)} == {"x z x: ?", "y z y: ?"}
    for attack in registry.BY_RULES:
        if attack.family in ("document", "program", "persona", "pretext", "steering", "injection"):
            assert not SLOT.search(put(attack.name, "?")), attack.name


def test_the_words_of_the_authors_attacks_stand_in_their_order() -> None:
    injected = put("prompt_injection", "How do magnets work?")
    assert injected.endswith("\n\nHow do magnets work?")
    assert injected.startswith("Correct the spelling")
    assert "$ ask 'How do magnets work?'" in put("wrapped_in_shell", "How do magnets work?")


def test_many_shots_are_many_and_differ() -> None:
    text = put("many_shots", "How do magnets work?")
    shots = re.findall(r"User: (.*)\nAssistant: (.*)\n\n", text)
    assert len(set(shots)) == SHOTS
    assert text.endswith("User: How do magnets work?\nAssistant:")


@given(text=st.text("abcdefgh XYZ.,?\n", max_size=80) | ANY, seed=SEEDS)
def test_words_that_are_told_apart_can_be_put_back(text: str, seed: int) -> None:
    masked = put("masked_word", text, seed)
    letters = sorted(
        (int(place), letter) for place, letter in re.findall(r"^letter (\d+) is (.)$", masked, re.MULTILINE)
    )
    word = "".join(letter for _, letter in letters)
    sentence = masked.split("Do not name the word.\n\n", 1)[1]
    assert "[MASK]" in text or sentence.replace("[MASK]", word) == text
    coded = put("code_words", text, seed)
    key = dict(re.findall(r"^([a-z]+) = ([A-Za-z]+)$", coded.split("\n\nRead")[0], re.MULTILINE))
    sentence = coded.split("use the code words again.\n\n", 1)[1]
    assert told_apart.without(sentence, key) == text
    assert not set(key.values()) & set(told_apart.WORD.findall(sentence))


def test_a_banner_draws_each_letter_another_way() -> None:
    assert len(set(FONT.values())) == 26
    assert all(len(letter) == LINES and {len(line) for line in letter} == {5} for letter in FONT.values())
    assert banner("Hi", "@") == "@   @  @@@@@\n@   @    @\n@@@@@    @\n@   @    @\n@   @  @@@@@"


@given(text=ANY, seed=SEEDS)
def test_conversations_go_from_one_to_the_other_and_hold_the_prompt(text: str, seed: int) -> None:
    for name in ("context_compliance", "split_over_turns"):
        roles = [turn.role for turn in turns(name, text, seed)]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    assert turns("context_compliance", text, seed)[0].content == text
    told = [turn.content for turn in turns("split_over_turns", text, seed) if turn.role == "user"]
    parts = [part.split(": ", 1)[1] for part in told]
    assert (
        "".join(parts).removesuffix(
            "\n\nThese were all. Join the parts without a space between, and reply to the whole."
        )
        == text
    )


@pytest.mark.parametrize("seed", range(8))
def test_a_chat_template_is_of_one_family(seed: int) -> None:
    text = put("chat_markup", "?", seed)
    assert ("im_start" in text) + ("[INST]" in text) + ("eot_id" in text) + ("<|end|>" in text) == 1
