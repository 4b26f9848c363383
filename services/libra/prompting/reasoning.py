"""Strip reasoning blocks from an answer, so that only the final answer is judged."""

from __future__ import annotations

import re
from typing import NamedTuple

TAG = re.compile(
    r"<(?P<xml_end>/?)(?:think|thinking|thoughts?|reasoning|scratchpad)>"  # DeepSeek, Qwen and similar models
    r"|\[(?P<bracket_end>/?)THINK\]"  # Magistral
    r"|◁(?P<wedge_end>/?)think▷"  # Kimi
    r"|<\|(?:begin|(?P<long_end>end))_of_thought\|>",  # Sky-T1, OpenThinker
    re.IGNORECASE,
)

FINAL_CHANNEL = "<|channel|>final<|message|>"
"""gpt-oss (the Harmony format) begins the channel for the user with this."""

ANALYSIS_CHANNEL = "<|channel|>analysis"
BARE_ANALYSIS, BARE_FINAL = "analysis", "assistantfinal"
"""The rest of the Harmony format where a server skips its special tokens."""


class ReasoningTag(NamedTuple):
    """The position of an opening or closing tag."""

    start: int
    end: int
    closes: bool


def strip_reasoning(text: str) -> str:
    """Return the text without reasoning blocks and without the space around it.

    A block without a closing tag reaches to the end: the model was cut off while it reasoned. A closing tag without an
    opening tag ends a block that began in the prompt, as some chat templates make it.
    """
    if FINAL_CHANNEL in text:
        text = text.rpartition(FINAL_CHANNEL)[2].partition("<|")[0]
    elif text.startswith(BARE_ANALYSIS) and BARE_FINAL in text:
        text = text.rpartition(BARE_FINAL)[2]
    elif ANALYSIS_CHANNEL in text:
        text = text.partition(ANALYSIS_CHANNEL)[0].removesuffix("<|start|>assistant")
    if "<" not in text and "[" not in text and "◁" not in text:
        return text.strip()
    tags = [ReasoningTag(found.start(), found.end(), any(found.groups())) for found in TAG.finditer(text)]
    return _outside_blocks(text, tags).strip() if tags else text.strip()


def _outside_blocks(text: str, tags: list[ReasoningTag]) -> str:
    kept: list[str] = []
    block_start = 0 if tags[0].closes else None
    position = 0
    for tag in tags:
        if tag.closes:
            if block_start is not None:
                kept.append(text[position:block_start])
                position, block_start = tag.end, None
        elif block_start is None:
            block_start = tag.start
    if block_start is None:
        kept.append(text[position:])
    else:
        # An unclosed tag in the middle of a line is a mention of the tag, not the start of a block.
        starts_line = not text[text.rfind("\n", position, block_start) + 1 or position : block_start].strip()
        kept.append(text[position:block_start] if starts_line else text[position:])
    return "".join(kept)
