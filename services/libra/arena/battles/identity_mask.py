"""Masks the words that identify a model in its answers, also while they are streamed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from libra.v1.arena_pb2 import ArenaEntry
from libra.v1.model_pb2 import Model

MASK = "[masked]"
MIN_CHARACTERS = 2
SEPARATOR = re.compile(r"[-_.\s]+")
SEPARATORS = r"[-_.\s]{0,2}"
"""Between the parts of a word: "gpt-4o" is also "GPT 4o" and "gpt4o"."""

SEPARATOR_CHARACTERS = 2


class Masked(NamedTuple):
    """A text without identifying words."""

    text: str
    found: bool
    """Whether the text contained a word of the model itself."""


@dataclass(frozen=True, slots=True)
class IdentityMask:
    """The words of one model, and of the other entries: if only its own were masked, the others would tell a lot."""

    own: re.Pattern[str] | None
    any: re.Pattern[str] | None
    max_characters: int
    """The length of the longest match, and of the character after it."""

    @classmethod
    def create(cls, own: Collection[str], others: Collection[str] = ()) -> IdentityMask:
        """Return the mask for a model with its own words, and those of all other models."""
        words = {*own, *others}
        longest = max((len(word) + SEPARATOR_CHARACTERS * len(SEPARATOR.split(word)) for word in words), default=0)
        return cls(_pattern(own), _pattern(words), longest + 1)

    def mask(self, text: str) -> Masked:
        """Return a whole text without identifying words."""
        if self.any is None:
            return Masked(text, found=False)
        found = self.own is not None and self.own.search(text) is not None
        return Masked(self.any.sub(MASK, text), found)

    def mask_beginning(self, text: str) -> str:
        """Return the masked beginning of a text that goes on: an end that may belong to a word is held back."""
        if self.any is None:
            return text
        end = max(0, len(text) - self.max_characters)
        for match in self.any.finditer(text):
            if match.start() < end < match.end():
                end = match.start()
        # The rest of the text stays in sight of the pattern, which looks at the character after a word.
        parts, position = list[str](), 0
        for match in self.any.finditer(text):
            if match.end() > end:
                break
            parts += [text[position : match.start()], MASK]
            position = match.end()
        return "".join([*parts, text[position:end]])


def identifying_words(model: Model, entry: ArenaEntry) -> set[str]:
    """Return the words that identify a model: its names, its maker and its aliases."""
    remote = model.remote_model.rpartition("/")[2]
    words = {model.name, entry.model, model.remote_model, remote, entry.maker, *entry.aliases}
    return {word.strip() for word in words if len(word.strip()) >= MIN_CHARACTERS}


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Return what matches any of the words, in any case and with other separators; the longest first."""
    forms = [
        SEPARATORS.join(re.escape(part) for part in SEPARATOR.split(word) if part)
        for word in sorted(words, key=lambda word: (-len(word), word))
    ]
    forms = [form for form in forms if form]
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)", re.IGNORECASE) if forms else None
