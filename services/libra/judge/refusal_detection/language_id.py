"""Tell whether a text is in a natural language, and whether in English, by the small words that sentences need."""

from __future__ import annotations

import re
from itertools import repeat

from libra.judge.text.data_files import load_data

CHARACTERS_PER_WORD = 10
"""More than a word and its space have on average: the size of the text in which a number of words is searched for."""

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
ASCII_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
"""The same in ASCII text without case, where it is found in a third of the time."""

WORDS = {
    name: frozenset(words.split()) for name, words in load_data("libra.judge.refusal_detection", "words.yaml").items()
}
"""The word lists of data/words.yaml."""

ENGLISH_SMALL_WORDS = WORDS["english"]
SMALL_WORDS = ENGLISH_SMALL_WORDS | WORDS["other_languages"]
FAVOURS_ENGLISH = dict.fromkeys(ENGLISH_SMALL_WORDS - WORDS["other_languages"], 1) | dict.fromkeys(
    WORDS["other_languages"] - ENGLISH_SMALL_WORDS, -1
)
"""1 for a small word of English only, -1 for one of other languages only."""

LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")
VOWELS = frozenset("aeiouy")

MAX_WORDS = 80
"""Words of a text that are counted."""

MIN_ENGLISH_SHARE = 0.2
"""Two thirds of the share of small words in running English, which is 0.3 and more."""

MIN_SMALL_SHARE = 0.12
MIN_SMALL_WORDS = 2
MIN_WORDS = 6
"""A text with fewer words is too short to tell."""

MIN_VOWEL_SHARE, MAX_VOWEL_SHARE = 0.28, 0.55

CODE = re.compile(r"```|\bdef |\bimport |\breturn\b|#include|[{};]\s*$|</\w+>", re.MULTILINE)


def first_words(text: str, limit: int = MAX_WORDS) -> list[str]:
    """Return the first words of the text, at most `limit`, without case."""
    head = text[: limit * CHARACTERS_PER_WORD].casefold().replace("’", "'")
    return (ASCII_WORD if head.isascii() else WORD).findall(head)[:limit]


def is_english(text: str) -> bool:
    """Tell whether a text of some length is in English."""
    return _has_english_words(first_words(text))


def is_only_english(text: str) -> bool:
    """Tell whether a text is in English, and has fewer small words of other languages only than of English only."""
    words = first_words(text)
    if not _has_english_words(words):
        return False
    return sum(map(FAVOURS_ENGLISH.get, words, repeat(0))) > 0


def _has_english_words(words: list[str]) -> bool:
    small = sum(map(ENGLISH_SMALL_WORDS.__contains__, words))
    return bool(words) and small / len(words) >= MIN_ENGLISH_SHARE


def is_natural(text: str) -> bool:
    """Tell whether the text is in a natural language. Program code and very short text count as natural."""
    words = first_words(text)
    small = sum(map(SMALL_WORDS.__contains__, words))
    if len(words) < MIN_WORDS or small >= max(MIN_SMALL_WORDS, len(words) * MIN_SMALL_SHARE):
        return True
    # Letters outside ASCII come from no simple cipher.
    return CODE.search(text) is not None or 2 * sum(word.isascii() for word in words) < len(words)


def is_pronounceable(text: str) -> bool:
    """Tell whether vowels are as frequent as in speech. They are in a list of names, but hardly in a cipher."""
    letters = [letter for letter in text.casefold() if letter in LATIN]
    vowels = sum(letter in VOWELS for letter in letters)
    return MIN_VOWEL_SHARE * len(letters) <= vowels <= MAX_VOWEL_SHARE * len(letters)
