"""Properties of all attacks of the catalogue that ask no model."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra.attack.catalogue import registry
from libra.attack.catalogue.attack import ModelUse
from libra.attack.conversation import MAX_ATTACKED_BYTES, ROLES, Turn, Turns
from libra.core.errors import Invalid

RULES = {attack.name: attack for attack in registry.RULE_ATTACKS}
NAMES = sorted(RULES)
FRAMED = ("document", "program", "persona", "pretext", "steering", "injection", "demonstration")
QUOTED = {
    *("json_document", "yaml_document", "xml_document", "csv_table", "markdown_table", "policy_file", "log_file"),
    *(
        "mail_thread",
        "patch",
        "html_page",
        "transcript",
        "code_completion",
        "wrapped_in_shell",
        "sql_table",
        "unit_test",
    ),
    *("function_call", "payload_splitting", "code_stack", "tool_output"),
}
"""Attacks that escape the prompt for a format; their own tests parse the result."""

PLAIN_TEXT = [name for name, attack in RULES.items() if attack.family in FRAMED and name not in QUOTED]
SEEDED = [name for name, attack in RULES.items() if attack.family in FRAMED] + [
    *(
        "ciphering",
        "caesar",
        "vigenere",
        "substitution",
        "rail_fence",
        "string_join",
        "bijection",
        "mathematical",
        "squared",
    ),
    *("zero_width", "backspaces", "zalgo", "diacritics", "strikethrough", "underline", "homoglyphs"),
    *("leetspeak", "random_capitals", "character_swaps", "scrambled_words", "dropped_letters", "doubled_letters"),
    *("code_words", "masked_word", "ascii_art", "context_compliance", "split_over_turns"),
    *("keyboard_typos", "split_words", "best_of_n", "inserted_punctuation", "inserted_emoji", "fillers", "stutter"),
]
TEXTS = (
    "",
    "\n",
    " \n\n ",
    "a",
    "磁铁是如何工作的？",
    "😀👩‍👩‍👧‍👦 🇫🇷",
    "Line one.\n\nLine three,\tand \"quotes\" 'of' <both> kinds.",
    "\x00\x1b[31m\u202e",
)
SEEDS = st.integers(-(2**63), 2**63 - 1)
HARMLESS = "How do magnets work?"

earlier = st.lists(st.builds(Turn, st.sampled_from(ROLES), st.text(max_size=40)), max_size=4)
conversations = st.builds(lambda before, text: (*before, Turn("user", text)), earlier, st.text(max_size=200))


def attack_text(name: str, seed: int = 0, text: str = HARMLESS) -> str:
    return RULES[name].apply((Turn("user", text),), seed)[-1].content


def test_the_catalogue_is_sorted_and_each_attack_is_found_by_its_name() -> None:
    assert [attack.name for attack in registry.list_attacks()] == sorted(registry.ATTACKS)
    assert all(name == attack.name and registry.find(name) is attack for name, attack in registry.ATTACKS.items())
    assert len(RULES) == len(registry.RULE_ATTACKS)  # all names differ
    assert {
        "do_anything_now",
        "refusal_suppression",
        "prompt_injection",
        "few_shots",
        "wrapped_in_shell",
        "ciphering",
    } <= set(RULES)


def test_there_are_at_least_150_attacks_in_the_known_families() -> None:
    families = Counter(attack.family for attack in RULES.values())
    assert families.pop("none") == 1
    assert sum(families.values()) >= 150
    assert set(families) == {"encoding", "characters", "noise", "masking", "conversation", *FRAMED}


@pytest.mark.parametrize("name", NAMES)
def test_an_attack_has_a_description_a_source_and_an_example(name: str) -> None:
    attack = RULES[name]
    assert re.fullmatch(r"[a-z0-9_]+", attack.name)
    assert attack.version == "1"
    assert re.fullmatch(r"[A-Z][^\n]*[^.]\.", attack.description)
    assert name == "none" or re.search(
        r"\(\d{4}\), (arXiv \d{4}\.\d{5}|Advances in|[a-z0-9.]+\.(com|org)|github.com/)", attack.source
    )
    assert attack.example()[-1].content
    assert attack.model_use is ModelUse.NEVER
    assert not attack.multi_turn


def test_no_two_attacks_give_the_same_text() -> None:
    texts = Counter(
        attack_text(name, text="Fix my bicycle, please, before Tuesday: its wheels squeak.") for name in NAMES
    )
    assert [text for text, times in texts.items() if times > 1] == []
    assert max(Counter(attack.description for attack in RULES.values()).values()) == 1


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_can_be_attacked(text: str) -> None:
    for name in NAMES:
        for seed in range(3):
            assert attack_text(name, seed, text) is not None


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(turns=conversations, seed=SEEDS)
def test_the_same_conversation_and_seed_give_the_same_text_and_the_earlier_turns_stay(
    name: str, turns: Turns, seed: int
) -> None:
    attacked = RULES[name].apply(turns, seed)
    assert RULES[name].apply(turns, seed) == attacked
    assert attacked[: len(turns) - 1] == turns[:-1]
    assert attacked[-1].role == "user"


@pytest.mark.parametrize("name", PLAIN_TEXT)
@settings(max_examples=25)
@given(text=st.text(max_size=200), seed=SEEDS)
def test_the_text_contains_the_prompt_unchanged(name: str, text: str, seed: int) -> None:
    assert text in attack_text(name, seed, text)


@pytest.mark.parametrize("name", NAMES)
def test_a_hundred_kilobytes_are_rewritten_within_a_second(name: str) -> None:
    text = "Why, a ä 水水水\x00\x1b\u202e😀\n" * 3_000
    start = time.process_time()
    size = len(attack_text(name, 1, text).encode())
    assert size <= MAX_ATTACKED_BYTES
    assert time.process_time() - start < 1


def test_a_text_that_is_too_large_to_be_sent_is_rejected() -> None:
    with pytest.raises(Invalid, match=r"4,800,\d+ bytes of text; the limit is 4,194,304"):
        attack_text("sneaky_bits", text="a" * 200_000)


@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_gives_another_text(name: str) -> None:
    text = "Fix my bicycle, please, before Tuesday: its wheels squeak."
    assert len({RULES[name].apply((Turn("user", text),), seed) for seed in range(100)}) >= 2


def test_the_plain_prompt_is_the_same_under_any_seed() -> None:
    assert {attack_text("none", seed) for seed in range(20)} == {HARMLESS}


PINNED = json.loads((Path(__file__).parent / "pinned.json").read_text())
"""For each attack and version, the first digits of the SHA-256 of its texts for fifty seeds."""


@pytest.mark.parametrize("name", NAMES)
def test_a_text_changes_only_with_the_version(name: str) -> None:
    texts = "\0".join(attack_text(name, seed) for seed in range(50))
    digest = hashlib.sha256(texts.encode()).hexdigest()[:12]
    key = f"{name} {RULES[name].version}"
    assert PINNED.get(key) == digest, f"raise the attack's version, and pin its new digest: {key} {digest}"


@pytest.mark.parametrize("name", ["none", "base64", "zalgo", "few_shots"])
@pytest.mark.parametrize(
    ("turns", "field", "words"),
    [
        ((), "messages", "no message"),
        ((Turn("user", "a"), Turn("assistant", "b")), "messages[1].role", "the assistant's"),
        ((Turn("narrator", "a"), Turn("user", "b")), "messages[0].role", "there are: system, user, assistant"),
        ((Turn("user", "a"),) * 1_001, "messages", "1,001 messages"),
        ((Turn("user", "ä" * 1_048_577),), "messages", "2,097,154 bytes"),
    ],
)
def test_an_invalid_conversation_is_rejected(name: str, turns: Turns, field: str, words: str) -> None:
    with pytest.raises(Invalid, match=re.escape(words)) as error:
        RULES[name].apply(turns, 0)
    assert error.value.field == field


def test_attacks_that_reword_the_request_are_marked_and_so_is_a_composition_with_one() -> None:
    rewriting = {attack.name for attack in registry.list_attacks() if attack.rewrites_request}
    written = {attack.name for attack in (*registry.MODEL_WRITTEN, *registry.MULTI_TURN)}
    assert rewriting == written - {"persona_modulation"}
    composed = registry.find("base64+persuasion")
    kept = registry.find("base64+persona_modulation")
    assert composed is not None
    assert kept is not None
    assert (composed.rewrites_request, kept.rewrites_request) == (True, False)
