"""Compares the words of two texts, so that a page can show what an attack changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from libra.v1.message_pb2 import Message

WORD = re.compile(r"\w+[ \t]*|[^\w\s][ \t]*|\s+")
"""A word or a mark, with the space after it: spaces alone would be what two different texts share."""

MAX_WORDS = 2_000
"""Longer texts are shown one after the other: the comparison takes time in proportion to the square of the words."""

FEW_WORDS = 800
"""Of longer texts, words that occur everywhere are not matched by themselves."""

MIN_SHARED = 0.5
"""Texts that share less of the shorter one are shown one after the other: a diff of different texts is noise."""

SAME, REMOVED, ADDED = "same", "removed", "added"


@dataclass(frozen=True, slots=True)
class DiffPart:
    """A piece of text that both versions have, or only one."""

    kind: str
    """SAME, REMOVED or ADDED."""

    text: str


@dataclass(frozen=True, slots=True)
class ComparedMessage:
    """A message before and after the attack."""

    role: str
    parts: Sequence[DiffPart]

    @property
    def is_changed(self) -> bool:
        """Whether the attack changed it."""
        return any(part.kind != SAME for part in self.parts)


def compare_texts(before: str, after: str) -> list[DiffPart]:
    """Return the pieces of both texts in order, so that SAME and ADDED make `after`, and SAME and REMOVED `before`."""
    old, new = WORD.findall(before), WORD.findall(after)
    if max(len(old), len(new)) <= MAX_WORDS:
        matcher = SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > FEW_WORDS)
        shared = sum(block.size for block in matcher.get_matching_blocks())
        if shared >= MIN_SHARED * min(len(old), len(new)):
            return list(_parts(matcher, old, new))
    return [DiffPart(kind, text) for kind, text in ((REMOVED, before), (ADDED, after)) if text]


def compare_conversations(before: Sequence[Message], after: Sequence[Message]) -> list[ComparedMessage]:
    """Return the messages of both conversations, paired from the last one on: attacks put messages before it."""
    pairs = zip_longest(reversed(before), reversed(after), fillvalue=Message())
    found = [ComparedMessage(new.role or old.role, compare_texts(old.content, new.content)) for old, new in pairs]
    return found[::-1]


def _parts(matcher: SequenceMatcher[str], old: Sequence[str], new: Sequence[str]) -> Iterator[DiffPart]:
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            yield DiffPart(SAME, "".join(new[new_start:new_end]))
            continue
        if old_end > old_start:
            yield DiffPart(REMOVED, "".join(old[old_start:old_end]))
        if new_end > new_start:
            yield DiffPart(ADDED, "".join(new[new_start:new_end]))
