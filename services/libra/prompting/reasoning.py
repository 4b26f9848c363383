"""Take the reasoning out of an answer: what a model thought aloud is not what it said."""

from __future__ import annotations

import re
from dataclasses import dataclass

TAG = re.compile(
    r"<(?P<xml_end>/?)(?:think|thinking|thoughts?|reasoning|scratchpad)>"  # DeepSeek, Qwen and their like
    r"|\[(?P<bracket_end>/?)THINK\]"  # Magistral
    r"|◁(?P<wedge_end>/?)think▷"  # Kimi
    r"|<\|(?:begin|(?P<long_end>end))_of_thought\|>",  # Sky-T1, OpenThinker
    re.IGNORECASE,
)

FINAL = "<|channel|>final<|message|>"
"""gpt-oss (the Harmony format) marks the channel that is for the user."""


@dataclass(frozen=True, slots=True)
class Tag:
    """Where a block begins or ends in the text."""

    start: int
    end: int
    closes: bool


def strip_reasoning(text: str) -> str:
    """Return the text without reasoning blocks and without the space around it.

    A block that is never closed reaches to the end: the answer was cut off while the model thought. A closing tag without an
    opening one ends a block that began in the prompt, as chat templates make it.
    """
    if FINAL in text:
        text = text.rpartition(FINAL)[2].partition("<|")[0]
    if not any(mark in text for mark in "<[◁"):
        return text.strip()
    tags = [Tag(found.start(), found.end(), any(found.groupdict().values())) for found in TAG.finditer(text)]
    return _outside(text, tags).strip() if tags else text.strip()


def _outside(text: str, tags: list[Tag]) -> str:
    kept: list[str] = []
    begun = 0 if tags[0].closes else None
    at = 0
    for tag in tags:
        if tag.closes:
            if begun is not None:
                kept.append(text[at:begun])
                at, begun = tag.end, None
        elif begun is None:
            begun = tag.start
    if begun is None:
        kept.append(text[at:])
    else:
        # A word about such a tag, in the middle of a line, opens no block.
        opens_a_line = not text[text.rfind("\n", at, begun) + 1 or at : begun].strip()
        kept.append(text[at:begun] if opens_a_line else text[at:])
    return "".join(kept)
