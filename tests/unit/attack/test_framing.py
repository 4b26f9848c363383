"""A document or a program contains the whole prompt: parsers and interpreters return it unchanged."""

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
from libra.attack.catalogue.framing import masking
from libra.attack.catalogue.framing.ascii_art import FONT, HEIGHT, draw_banner
from libra.attack.catalogue.framing.many_shots import SHOTS
from libra.attack.catalogue.framing.template import SLOT, Template
from libra.attack.conversation import Turn, Turns
from libra.attack.seeded_random import SeededRandom

ANY = st.text(max_size=80) | st.text("'\"\\{}<>&|,;$`\n\t abc[]!#", max_size=40)
PRINTED = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufffe\uffff"), max_size=60
)
SEEDS = st.integers(0, 1_000)


def attack_turns(name: str, text: str, seed: int = 0) -> Turns:
    return registry.ATTACKS[name].apply((Turn("user", text),), seed)


def attack_text(name: str, text: str, seed: int = 0) -> str:
    return attack_turns(name, text, seed)[-1].content


def parse_json(text: str) -> Any:
    start = text.index("{")
    return json.JSONDecoder().raw_decode(text[start:])[0]


def extract_program(text: str) -> str:
    return text.split("```python\n")[1].removesuffix("```")


@given(text=ANY, seed=SEEDS)
def test_json_contains_the_prompt(text: str, seed: int) -> None:
    assert parse_json(attack_text("json_document", text, seed))["job"]["task"] == text
    assert parse_json(attack_text("function_call", text, seed))["arguments"]["text"] == text
    assert parse_json(attack_text("tool_output", text, seed))["message_for_assistant"] == text


@settings(max_examples=50)
@given(text=PRINTED, seed=SEEDS)
def test_yaml_xml_and_a_policy_file_contain_the_prompt(text: str, seed: int) -> None:
    document = attack_text("yaml_document", text, seed).split("\n\n", 1)[1]
    assert yaml.safe_load(document)["requests"][0]["question"] == text
    xml = attack_text("xml_document", text, seed).split("\n\n", 1)[1]
    assert (ET.fromstring(xml).findtext("question") or "") == text
    policy = configparser.ConfigParser(interpolation=None)
    policy.read_string(attack_text("policy_file", text, seed))
    assert json.loads(policy["request"]["text"]) == text


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=60), seed=SEEDS)
def test_a_csv_table_contains_the_prompt(text: str, seed: int) -> None:
    table = attack_text("csv_table", text, seed).split("\n\n", 1)[1].removesuffix(',"')
    rows = list(csv.reader(io.StringIO(table, newline="")))
    assert rows[0] == ["number", "question", "answer"]
    assert [len(row) for row in rows] == [3, 3, 3, 2]
    assert rows[3][1] == text


@given(text=ANY, seed=SEEDS)
def test_programs_contain_the_prompt(text: str, seed: int) -> None:
    completion = extract_program(attack_text("code_completion", text, seed)) + 'done")\n'
    assigned = [node.value for node in ast.walk(ast.parse(completion)) if isinstance(node, ast.Assign)]
    assert ast.literal_eval(assigned[0]) == text
    test = extract_program(attack_text("unit_test", text, seed))
    call = next(node for node in ast.walk(ast.parse(test)) if isinstance(node, ast.Call) and node.args)
    assert ast.literal_eval(call.args[0]) == text


@given(text=ANY, seed=SEEDS)
def test_programs_that_join_the_prompt_return_it_when_they_are_run(text: str, seed: int) -> None:
    split: dict[str, str] = {}
    exec(attack_text("payload_splitting", text, seed).rpartition("\n\n")[0], split)
    assert split["message"] == text
    stacked: dict[str, str] = {}
    exec(extract_program(attack_text("code_stack", text, seed)), stacked)
    assert stacked["task"] == text


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60), seed=SEEDS)
def test_a_shell_and_a_database_parse_the_prompt(text: str, seed: int) -> None:
    command = attack_text("wrapped_in_shell", text, seed).split("\n$ ask ")[-1]
    assert shlex.split(command) == [text]
    statements = attack_text("sql_table", text, seed).split("\n\n", 1)[1]
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.create_function("complete_answer", 1, lambda question: f"answer to {question}")
        *before, last = [line for line in re.split(r";(?:\n(?=UPDATE|SELECT|INSERT)|$)", statements) if line]
        for statement in before:
            database.execute(statement)
        assert database.execute(last).fetchall() == [(f"answer to {text}",)]


@given(text=ANY)
def test_each_line_has_its_prefix_and_a_cell_stays_on_its_line(text: str) -> None:
    lines = text.split("\n")
    assert "\n".join(f"> {line}" for line in lines) in attack_text("mail_thread", text)
    assert "\n".join(f"+{line}" for line in lines) in attack_text("patch", text)
    (row,) = [
        line for line in attack_text("markdown_table", text.replace("\r", "")).split("\n") if line.endswith(" | | |")
    ]
    assert len(re.findall(r"(?<!\\)\|", row.replace("\\\\", ""))) in (4, 3 + 1 + text.count("\\|"))


@given(text=ANY, seed=SEEDS)
def test_a_prompt_that_looks_like_a_slot_is_unchanged(text: str, seed: int) -> None:
    slots = "{prompt} {name} {service}" + text
    for name in ("role_play", "authority", "prefix_injection", "chat_markup"):
        assert slots in attack_text(name, slots, seed)


def test_every_slot_of_a_template_is_filled() -> None:
    template = Template("one", "{a} {b} {a}: {prompt}", "this test", "Tests.", {"a": "xy", "b": "z"})
    assert {template.fill("?", SeededRandom(str(seed))) for seed in range(50)} == {"x z x: ?", "y z y: ?"}
    for attack in registry.RULE_ATTACKS:
        if attack.family in ("document", "program", "persona", "pretext", "steering", "injection"):
            assert not SLOT.search(attack_text(attack.name, "?")), attack.name


def test_the_prompt_injection_and_the_shell_end_with_the_prompt() -> None:
    injected = attack_text("prompt_injection", "How do magnets work?")
    assert injected.endswith("\n\nHow do magnets work?")
    assert injected.startswith("Correct the spelling")
    assert "$ ask 'How do magnets work?'" in attack_text("wrapped_in_shell", "How do magnets work?")


def test_many_shots_are_many_and_differ() -> None:
    text = attack_text("many_shots", "How do magnets work?")
    shots = re.findall(r"User: (.*)\nAssistant: (.*)\n\n", text)
    assert len(set(shots)) == SHOTS
    assert text.endswith("User: How do magnets work?\nAssistant:")


@given(text=st.text("abcdefgh XYZ.,?\n", max_size=80) | ANY, seed=SEEDS)
def test_masked_words_can_be_put_back(text: str, seed: int) -> None:
    masked = attack_text("masked_word", text, seed)
    letters = sorted(
        (int(place), letter) for place, letter in re.findall(r"^letter (\d+) is (.)$", masked, re.MULTILINE)
    )
    word = "".join(letter for _, letter in letters)
    sentence = masked.split("Do not name the word.\n\n", 1)[1]
    assert "[MASK]" in text or sentence.replace("[MASK]", word) == text
    coded = attack_text("code_words", text, seed)
    key = dict(re.findall(r"^([a-z]+) = ([A-Za-z]+)$", coded.split("\n\nRead")[0], re.MULTILINE))
    sentence = coded.split("use the code words again.\n\n", 1)[1]
    assert masking.replace_words(sentence, key) == text
    assert not set(key.values()) & set(masking.WORD.findall(sentence))


def test_each_letter_of_a_banner_is_different() -> None:
    assert len(set(FONT.values())) == 26
    assert all(len(letter) == HEIGHT and {len(line) for line in letter} == {5} for letter in FONT.values())
    assert draw_banner("Hi", "@") == "@   @  @@@@@\n@   @    @\n@@@@@    @\n@   @    @\n@   @  @@@@@"


@given(text=ANY, seed=SEEDS)
def test_conversations_alternate_between_roles_and_contain_the_prompt(text: str, seed: int) -> None:
    for name in ("context_compliance", "split_over_turns"):
        roles = [turn.role for turn in attack_turns(name, text, seed)]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    assert attack_turns("context_compliance", text, seed)[0].content == text
    contents = [turn.content for turn in attack_turns("split_over_turns", text, seed) if turn.role == "user"]
    parts = [part.split(": ", 1)[1] for part in contents]
    assert (
        "".join(parts).removesuffix(
            "\n\nThese were all. Join the parts without a space between, and reply to the whole."
        )
        == text
    )


@pytest.mark.parametrize("seed", range(8))
def test_the_chat_markup_uses_one_template(seed: int) -> None:
    text = attack_text("chat_markup", "?", seed)
    assert ("im_start" in text) + ("[INST]" in text) + ("eot_id" in text) + ("<|end|>" in text) == 1
