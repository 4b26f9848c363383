"""Noise changes the spelling as described and keeps the rest of the prompt."""

from __future__ import annotations

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.attack.catalogue import registry
from libra.attack.catalogue.noise.factory import WORD
from libra.attack.catalogue.noise.letter_noise import NEIGHBOURS
from libra.attack.conversation import Turn

TEXT = "Yesterday, seventeen bicycles stood before the Station; nobody had locked a single one of them."
ANY = st.text(max_size=80)
SEEDS = st.integers(0, 10_000)


def attack_text(name: str, text: str, seed: int = 0) -> str:
    return registry.ATTACKS[name].apply((Turn("user", text),), seed)[-1].content


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alternating_capitals", "hOw dO MaGnEtS WoRk?"),
        ("all_capitals", "HOW DO MAGNETS WORK?"),
        ("disemvowel", "Hw d mgnts wrk?"),
        ("masked_vowels", "H*w d* m*gn*ts w*rk?"),
        ("pig_latin", "owHay oday agnetsmay orkway?"),
        ("camel_case", "howDoMagnetsWork?"),
        ("snake_case", "how_do_magnets_work?"),
        ("joined_words", "Howdomagnetswork?"),
        ("word_per_line", "How\ndo\nmagnets\nwork?"),
        ("spacing", "H o w   d o   m a g n e t s   w o r k ?"),
    ],
)
def test_noise_without_a_seed_is_known(name: str, expected: str) -> None:
    assert {attack_text(name, "How do magnets work?", seed) for seed in range(5)} == {expected}


@given(text=st.text(string.printable, max_size=80), seed=SEEDS)
def test_noise_in_the_case_changes_only_the_case(text: str, seed: int) -> None:
    for name in ("random_capitals", "alternating_capitals", "all_capitals"):
        assert attack_text(name, text, seed).lower() == text.lower()


@given(text=ANY, seed=SEEDS)
def test_swapping_and_scrambling_keep_the_letters_and_the_ends_of_each_word(text: str, seed: int) -> None:
    for name in ("character_swaps", "scrambled_words"):
        after = attack_text(name, text, seed)
        assert [(word[0], word[-1], Counter(word)) for word in WORD.findall(after)] == [
            (word[0], word[-1], Counter(word)) for word in WORD.findall(text)
        ]
        assert WORD.sub("", after) == WORD.sub("", text)


@given(seed=SEEDS)
def test_each_word_is_changed_by_one_letter(seed: int) -> None:
    before = TEXT.split()
    dropped, doubled, mistyped = (
        attack_text(name, TEXT, seed).split() for name in ("dropped_letters", "doubled_letters", "keyboard_typos")
    )
    for word, shorter, longer, changed in zip(before, dropped, doubled, mistyped, strict=True):
        letters = len(re.sub(r"\W", "", word))
        assert len(shorter) == len(word) - (letters >= 5)
        assert len(longer) == len(word) + 1
        assert len(changed) == len(word)
        assert sum(a != b for a, b in zip(word, changed, strict=True)) == 1
    assert attack_text("split_words", TEXT, seed).replace(" ", "") == TEXT.replace(" ", "")


def test_a_key_is_not_its_own_neighbour() -> None:
    assert set(NEIGHBOURS) == set(string.ascii_lowercase)
    assert not any(key in near for key, near in NEIGHBOURS.items())


@given(seed=SEEDS)
def test_text_inserted_between_words_can_be_removed(seed: int) -> None:
    words = TEXT.split()
    assert attack_text("inserted_punctuation", TEXT, seed).split()[::2] == words
    assert attack_text("inserted_emoji", TEXT, seed).split()[::2] == words
    fillers = r",? ?\b(?:um|well|you know|like|so|er|I mean|right), "
    assert re.sub(fillers, " ", attack_text("fillers", TEXT, seed)).replace("  ", " ") == TEXT
    assert re.sub(r"\b(\w)-(\1-)?(?=\1)", "", attack_text("stutter", TEXT, seed)) == TEXT


def test_about_as_many_characters_change_as_described() -> None:
    letters = "abcdefghijklmnopqrstuvwxy " * 400
    capitals = sum(letter.isupper() for letter in attack_text("random_capitals", letters))
    assert 0.45 < capitals / len(letters.replace(" ", "")) < 0.55
    assert attack_text("leetspeak", "A zebra bites") != "A zebra bites"
    assert re.fullmatch(r"[4@] 23[8]r[4@] [8][1!][7+]3[5$]", attack_text("leetspeak", "A zebra bites"))


def test_a_megabyte_without_a_space_is_many_words() -> None:
    assert Counter(attack_text("scrambled_words", "abcde" * 20_000)) == Counter("abcde" * 20_000)
