"""Noise spoils the spelling as much as it says, and leaves the rest."""

from __future__ import annotations

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.attack.catalogue import registry
from libra.attack.catalogue.noise.factory import WORD
from libra.attack.catalogue.noise.letters import NEIGHBOURS
from libra.attack.conversation import Turn

TEXT = "Yesterday, seventeen bicycles stood before the Station; nobody had locked a single one of them."
ANY = st.text(max_size=80)
SEEDS = st.integers(0, 10_000)


def put(name: str, text: str, seed: int = 0) -> str:
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
    assert {put(name, "How do magnets work?", seed) for seed in range(5)} == {expected}


@given(text=st.text(string.printable, max_size=80), seed=SEEDS)
def test_noise_in_the_case_changes_the_case_alone(text: str, seed: int) -> None:
    for name in ("random_capitals", "alternating_capitals", "all_capitals"):
        assert put(name, text, seed).lower() == text.lower()


@given(text=ANY, seed=SEEDS)
def test_swapping_and_scrambling_keep_the_letters_of_each_word_and_its_ends(text: str, seed: int) -> None:
    for name in ("character_swaps", "scrambled_words"):
        after = put(name, text, seed)
        assert [(word[0], word[-1], Counter(word)) for word in WORD.findall(after)] == [
            (word[0], word[-1], Counter(word)) for word in WORD.findall(text)
        ]
        assert WORD.sub("", after) == WORD.sub("", text)


@given(seed=SEEDS)
def test_each_word_is_spoilt_by_one_letter(seed: int) -> None:
    before = TEXT.split()
    dropped, doubled, typed = (
        put(name, TEXT, seed).split() for name in ("dropped_letters", "doubled_letters", "keyboard_typos")
    )
    for word, less, more, other in zip(before, dropped, doubled, typed, strict=True):
        letters = len(re.sub(r"\W", "", word))
        assert len(less) == len(word) - (letters >= 5)
        assert len(more) == len(word) + 1
        assert len(other) == len(word)
        assert sum(a != b for a, b in zip(word, other, strict=True)) == 1
    assert put("split_words", TEXT, seed).replace(" ", "") == TEXT.replace(" ", "")


def test_a_key_is_not_its_own_neighbour() -> None:
    assert set(NEIGHBOURS) == set(string.ascii_lowercase)
    assert not any(key in near for key, near in NEIGHBOURS.items())


@given(seed=SEEDS)
def test_what_comes_between_words_can_be_taken_out_again(seed: int) -> None:
    words = TEXT.split()
    assert put("inserted_punctuation", TEXT, seed).split()[::2] == words
    assert put("inserted_emoji", TEXT, seed).split()[::2] == words
    fillers = r",? ?\b(?:um|well|you know|like|so|er|I mean|right), "
    assert re.sub(fillers, " ", put("fillers", TEXT, seed)).replace("  ", " ") == TEXT
    assert re.sub(r"\b(\w)-(\1-)?(?=\1)", "", put("stutter", TEXT, seed)) == TEXT


def test_about_as_much_is_changed_as_was_said() -> None:
    letters = "abcdefghijklmnopqrstuvwxy " * 400
    capitals = sum(letter.isupper() for letter in put("random_capitals", letters))
    assert 0.45 < capitals / len(letters.replace(" ", "")) < 0.55
    assert put("leetspeak", "A zebra bites") != "A zebra bites"
    assert re.fullmatch(r"[4@] 23[8]r[4@] [8][1!][7+]3[5$]", put("leetspeak", "A zebra bites"))


def test_a_megabyte_without_a_space_is_many_words() -> None:
    assert Counter(put("scrambled_words", "abcde" * 20_000)) == Counter("abcde" * 20_000)
