"""Load regular expressions from the data files, and compile long lists of alternatives so that they search quickly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from libra.judge.text.data_files import load_data
from libra.judge.text.lazy_pattern import LazyPattern

WORD_EDGE = r"\b"

FRAGMENT = re.compile(r"\{([A-Z_]+)\}")


@dataclass(frozen=True, slots=True)
class HintedPattern:
    """A slow pattern with hints: each text that it matches contains one of the hints."""

    pattern: LazyPattern
    hints: tuple[str, ...]

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match in the text."""
        return self.pattern.search(text) if self._has_hint(text) else None

    def match(self, text: str) -> re.Match[str] | None:
        """Return the match at the beginning of the text."""
        return self.pattern.match(text) if self._has_hint(text) else None

    def _has_hint(self, text: str) -> bool:
        for hint in self.hints:  # noqa: SIM110 - a generator takes twice the time
            if hint in text:
                return True
        return False


def load_patterns(name: str) -> dict[str, LazyPattern | HintedPattern]:
    """Return the patterns of a data file, by name.

    A text is a list of alternatives. A mapping is a pattern with hints. The lines of a pattern are joined, and {NAME}
    is replaced by the fragment of that name.
    """
    data = load_data("libra.judge.refusal_detection", name)
    fragments = {fragment: _joined(lines) for fragment, lines in data["fragments"].items()}

    def text_of(lines: str) -> str:
        return FRAGMENT.sub(lambda found: fragments[found[1]], _joined(lines))

    def pattern_of(entry: str | dict[str, Any]) -> LazyPattern | HintedPattern:
        if isinstance(entry, str):
            return LazyPattern(lambda: compile_alternatives(text_of(entry)))
        return HintedPattern(LazyPattern(lambda: re.compile(text_of(entry["pattern"]))), tuple(entry["hints"]))

    return {pattern_name: pattern_of(entry) for pattern_name, entry in data["patterns"].items()}


def compile_alternatives(pattern: str) -> re.Pattern[str]:
    """Return the compiled pattern, with all alternatives that begin at a word's edge behind one test for that edge.

    The engine then skips most of them by their first letter. It finds the same; if two alternatives match at one
    position, the one at the word's edge is taken.
    """
    parts = split_alternatives(pattern)
    at_edge = [part.removeprefix(WORD_EDGE) for part in parts if part.startswith(WORD_EDGE)]
    others = [part for part in parts if not part.startswith(WORD_EDGE)]
    return re.compile("|".join([f"{WORD_EDGE}(?:{'|'.join(at_edge)})", *others] if at_edge else others))


def split_alternatives(pattern: str) -> list[str]:
    """Return the alternatives of a pattern: the parts between bars that are in no group and no set."""
    parts, depth, in_set, start, position = list[str](), 0, False, 0, 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position += 1
        elif in_set:
            in_set = character != "]"
        elif character == "[":
            in_set = True
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and depth == 0:
            parts.append(pattern[start:position])
            start = position + 1
        position += 1
    return [*parts, pattern[start:]]


def _joined(lines: str) -> str:
    return "".join(lines.splitlines())
