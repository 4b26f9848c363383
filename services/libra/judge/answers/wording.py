"""The words around answers, in all languages, as regular expressions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from libra.judge.text.data_files import parse_data

UNSPACED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
"""Thai, kana, Chinese characters and Hangul: scripts whose words stand without spaces or take suffixes."""

STARTS_UNSPACED = re.compile(f"[{UNSPACED}]")
WORD_CHARACTER = re.compile(r"[\w(]")


@lru_cache
def load_words(name: str) -> Any:
    """Return the content of a YAML file in the folder data; it is read once."""
    text = files("libra.judge.answers").joinpath("data", name).read_text(encoding="utf-8")
    return parse_data(unicodedata.normalize("NFKC", text))


def fold(text: str) -> str:
    """Return a text in lower case with the same number of characters, so that places in it are places in the text."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(one.lower() if len(one.lower()) == 1 else one for one in text)


def phrases(text: str) -> list[str]:
    """Return the entries of a list that is separated by spaces; a space within an entry is escaped or in brackets."""
    return [entry for entry in _split(text) if entry]


@dataclass(frozen=True)
class WordPattern:
    """A pattern of words in all languages, and the same with the words in ASCII alone, which is faster.

    Each of the two is compiled at its first use.
    """

    text: str
    ascii_text: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern with all words."""
        return re.compile(self.text)

    @cached_property
    def ascii_pattern(self) -> re.Pattern[str]:
        """The pattern with the words in ASCII."""
        return re.compile(self.ascii_text)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match in a text without case."""
        return self.suited(text).search(text)

    def match(self, text: str) -> re.Match[str] | None:
        """Return the match at the start of a text without case."""
        return self.suited(text).match(text)

    def last(self, text: str) -> re.Match[str] | None:
        """Return the last match in a text without case."""
        found = None
        for found in self.suited(text).finditer(text):  # noqa: B007
            pass
        return found

    def all(self, text: str) -> list[re.Match[str]]:
        """Return all matches in a text without case."""
        return list(self.suited(text).finditer(text))

    def suited(self, text: str) -> re.Pattern[str]:
        """Return the pattern that suits the letters of a text."""
        return self.ascii_pattern if text.isascii() else self.pattern


def alternatives(entries: Sequence[str]) -> str:
    """Return one expression for all entries; an entry of a script with spaces matches whole words only."""
    words = [entry for entry in entries if _is_word(entry)]
    others = [entry for entry in entries if not _is_word(entry)]
    whole = rf"(?<!\w)(?:{'|'.join(map(_with_end, words))})" if words else ""
    return "(?:" + "|".join(filter(None, [whole, *others])) + ")"


def compile_words(entries: Sequence[str]) -> WordPattern:
    """Return the pattern of a list of entries."""
    in_ascii = [entry for entry in entries if entry.isascii() or any(mark in entry for mark in "|?[")]
    return WordPattern(alternatives(entries), alternatives(in_ascii) if in_ascii else r"(?!)")


def word_pattern(name: str) -> WordPattern:
    """Return the pattern of a list in words.yaml. It is applied to text without case."""
    return compile_words(phrases(load_words("words.yaml")[name]))


def _split(text: str) -> list[str]:
    entries, depth, current = [], 0, ""
    for before, character in zip(" " + text, text, strict=False):
        depth += (character in "([") - (character in ")]") if before != "\\" else 0
        if character.isspace() and before != "\\" and not depth:
            entries.append(current)
            current = ""
        else:
            current += character
    return [*entries, current]


def _is_word(entry: str) -> bool:
    return WORD_CHARACTER.match(entry) is not None and not STARTS_UNSPACED.match(entry)


def _with_end(entry: str) -> str:
    return entry if entry.endswith(("$", "*")) else rf"(?:{entry})(?!\w)"
