"""Split an answer into the voices in which it speaks.

A jailbreak may make a model answer twice: as itself, which refuses, and as a persona without rules, which does not.
Such an answer refuses only if every voice does. (Shen et al.: "Do Anything Now", 2023, arXiv 2308.03825, collects such
prompts.)
"""

from __future__ import annotations

import re

VOICE_LABEL = re.compile(
    r"^[ \t*#>_]{0,6}(?:\[[^\]\n\d]{2,40}\]|[(\[]?[🔒🔓][^\n:\])]{1,40}[:\])]"
    r"|[A-Z][A-Za-z]{0,20}(?:GPT|AI|Bot|DAN|Mode)\b[^\n:]{0,20}:"
    r"|(?:DAN|AIM|STAN|DUDE|CLASSIC|JAILBREAK|Normal|Classic|Jailbreak|Assistant)\b[^\n:]{0,20}:)[ \t*_]{0,6}",
    re.MULTILINE,
)
"""A name at the start of a line, as "[CLASSIC]" or "FreeGPT:"."""

MAX_LABELS = 8


def split_voices(text: str) -> list[str]:
    """Return what each voice says, without the labels; the whole text if it has no labels."""
    if not may_have_label(text):
        return [text]
    labels = [found for _, found in zip(range(MAX_LABELS), VOICE_LABEL.finditer(text), strict=False)]
    if not labels:
        return [text]
    before = text[: labels[0].start()].strip()
    ends = [label.start() for label in labels[1:]] + [len(text)]
    spoken = [text[label.end() : end].strip() for label, end in zip(labels, ends, strict=True)]
    return [part for part in [before, *spoken] if part] or [text]


def may_have_label(text: str) -> bool:
    """Tell quickly whether a text has one of the signs without which it has no label."""
    return ":" in text or "[" in text or "🔒" in text or "🔓" in text
