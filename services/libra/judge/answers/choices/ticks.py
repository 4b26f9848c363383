"""Find the options that an answer ticks in a list of options."""

from __future__ import annotations

import re

from libra.judge.answers.choices.options import LABEL

TICKS, CROSSES = "✅✔✓☑🗹◉🔘", "❌❎✗✘✖☒☐⬜⭕○◯"
TICK = rf"[{TICKS}]\ufe0f?|\[[xX✓✔]\]"
CROSS = rf"[{CROSSES}]\ufe0f?|\[ ?\]"
MARK = rf"(?P<tick{{0}}>{TICK})|(?P<cross{{0}}>{CROSS})"

OPTION_LINE = re.compile(
    rf"^[ \t]{{0,8}}(?:[-*+•][ \t]{{1,4}})?(?:(?:{MARK.format(1)})[ \t]{{0,4}})?"
    rf"[*_(\[]{{0,3}}(?P<label>{LABEL})[*_]{{0,2}}(?:[).:\]][^\n]{{0,200}}?)?"
    rf"(?:[ \t:–—-]{{0,6}}(?:{MARK.format(2)}))?[*_ \t]{{0,4}}$",
    re.MULTILINE,
)
"""A label, perhaps with its text, and a mark before or after it: "- [x] B. Jupiter", "B ✅"."""


def mark_ticked_options(text: str) -> str:
    """Return the text with the ticked options in place of its list of options, in a tag of the final answer."""
    if not any(mark in text for mark in TICKS) and "[x]" not in text.lower():
        return text
    lines = list(OPTION_LINE.finditer(text))
    ticked = [line for line in lines if line["tick1"] or line["tick2"]]
    if not ticked or len(ticked) == len(lines):
        return text
    final = f"<answer>{' and '.join(line['label'] for line in ticked)}</answer>"
    return OPTION_LINE.sub(lambda line: final if line.start() == ticked[0].start() else "", text)
