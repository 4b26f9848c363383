"""What holds for every attack of the catalogue, whatever it does."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.attack.catalogue import registry
from libra.attack.catalogue.attack import Attack
from libra.attack.turns import ROLES, Turn, Turns
from libra.errors import Invalid

NAMES = sorted(registry.ATTACKS)
SEEDED = [name for name in NAMES if name != "none"]
PLAIN_TEXT = [name for name in NAMES if name != "ciphering"]
SEEDS = st.integers(-(2**63), 2**63 - 1)
HARMLESS = "How do magnets work?"

earlier = st.lists(st.builds(Turn, st.sampled_from(ROLES), st.text(max_size=40)), max_size=4)
conversations = st.builds(lambda before, text: (*before, Turn("user", text)), earlier, st.text(max_size=200))


def attack(name: str) -> Attack:
    found = registry.find(name)
    assert found
    return found


def put(name: str, seed: int = 0, text: str = HARMLESS) -> str:
    return attack(name).apply((Turn("user", text),), seed)[-1].content


def test_the_catalogue_is_in_order_and_each_attack_stands_under_its_name() -> None:
    assert [one.name for one in registry.listing()] == NAMES
    assert NAMES == ["ciphering", "do_anything_now", "few_shots", "none", "refusal_suppression"]
    assert all(name == one.name for name, one in registry.ATTACKS.items())


@pytest.mark.parametrize("name", NAMES)
def test_an_attack_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    one = attack(name)
    assert re.fullmatch(r"[a-z0-9_]+", one.name)
    assert one.version
    assert re.fullmatch(r"[A-Z].*[^.]\.", one.description)
    assert name == "none" or re.search(r"\(\d{4}\), arXiv \d{4}\.\d{5}", one.source)
    assert one.example()[-1].content.isprintable() or "\n" in one.example()[-1].content


@pytest.mark.parametrize("name", NAMES)
@given(turns=conversations, seed=SEEDS)
def test_the_same_conversation_and_seed_give_the_same_text(name: str, turns: Turns, seed: int) -> None:
    assert attack(name).apply(turns, seed) == attack(name).apply(turns, seed)


@pytest.mark.parametrize("name", NAMES)
@given(turns=conversations, seed=SEEDS)
def test_every_turn_but_the_last_is_left_as_it_is(name: str, turns: Turns, seed: int) -> None:
    attacked = attack(name).apply(turns, seed)
    assert attacked[:-1] == turns[:-1]
    assert attacked[-1].role == "user"


@pytest.mark.parametrize("name", PLAIN_TEXT)
@given(text=st.text(max_size=200), seed=SEEDS)
def test_the_prompt_stands_in_the_text_letter_by_letter(name: str, text: str, seed: int) -> None:
    assert text in put(name, seed, text)


@pytest.mark.parametrize("name", NAMES)
def test_a_megabyte_of_text_grows_by_a_third_at_most(name: str) -> None:
    text = "a ä\x00\x1b\u202e😀" * 81_000
    megabyte = len(text.encode())
    assert megabyte > 1_000_000
    for seed in range(5):
        assert len(put(name, seed, text).encode()) < megabyte * 4 / 3 + 2_000


@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_gives_another_text(name: str) -> None:
    assert len({put(name, seed) for seed in range(200)}) >= 20


def test_the_plain_prompt_is_the_same_under_any_seed() -> None:
    assert {put("none", seed) for seed in range(20)} == {HARMLESS}


PINNED = {
    ("ciphering", "1"): "0ed1f7fdab2a",
    ("do_anything_now", "1"): "0fd198f88b0a",
    ("few_shots", "1"): "e6ea39fd8c45",
    ("none", "1"): "ecbf432d3c9e",
    ("refusal_suppression", "1"): "c69f15ee114f",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_text_changes_only_with_the_version(name: str) -> None:
    texts = "\0".join(put(name, seed) for seed in range(50))
    digest = hashlib.sha256(texts.encode()).hexdigest()[:12]
    assert PINNED.get((name, attack(name).version)) == digest, "raise the attack's version, and pin what it gives now"


@pytest.mark.parametrize("name", NAMES)
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
def test_what_is_no_conversation_is_refused(name: str, turns: Turns, field: str, words: str) -> None:
    with pytest.raises(Invalid, match=re.escape(words)) as refusal:
        attack(name).apply(turns, 0)
    assert refusal.value.field == field
