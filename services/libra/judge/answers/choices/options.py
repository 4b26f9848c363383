"""Read the options of a multiple-choice question from its prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping

from libra.judge.answers.cleaning import clean_option, plain_characters
from libra.judge.answers.wording import fold

Options = tuple[tuple[str, str], ...]
"""Labels and texts, in order."""

LABEL = r"[^\W_\d]|\d{1,2}|[ivx]{2,4}|[IVX]{2,4}"
OPTION_LINE = re.compile(
    rf"^[ \t>*-]{{0,6}}(?:[(\[]({LABEL})[)\]]|({LABEL})[*_]{{0,2}}[).:])(?:[ \t]{{1,8}}|(?=[^\x00-\x7f]))(\S[^\n]*)$",
    re.MULTILINE,
)
"""An option in a prompt: "A. text", "(B) text", "3) text", "क) text"."""

INLINE_OPTION = re.compile(
    r"(?:^|(?<=\s))(?:[(\[]([A-Z])[)\]]|([A-Z])[).:]) +(\S.{0,400}?)(?=[;,.]? +(?:[(\[][A-Z][)\]]|[A-Z][).:]) |$)",
    re.MULTILINE,
)
LISTED_WITH_COMMA = re.compile(r"^([A-Z])、", re.MULTILINE)
FIRST_LABELS = frozenset(["A", "1", "I", "А", "Α", "أ", "ا", "א", "क", "ক", "ก", "가", "ㄱ", "ア", "あ", "甲", "一"])

MIN_OPTIONS = 2


def listed_options(prompt: str) -> dict[str, str]:
    """Return the options in a prompt, label to text; empty if it lists none.

    If there are several lists, as in a prompt with examples, the last one counts.
    """
    plain = plain_characters(LISTED_WITH_COMMA.sub(r"\1. ", prompt))
    return _last_list(OPTION_LINE, plain) or _last_list(INLINE_OPTION, plain)


def _last_list(pattern: re.Pattern[str], prompt: str) -> dict[str, str]:
    lists: list[dict[str, str]] = []
    for found in pattern.finditer(prompt):
        label = (found[1] or found[2]).upper()
        if not lists or label in lists[-1] or label in FIRST_LABELS:
            lists.append({})
        lists[-1][label] = found[3].strip()
    return next((one for one in reversed(lists) if len(one) >= MIN_OPTIONS), {})


LABEL_ALONE = re.compile(rf"^\W{{0,8}}({LABEL})\W{{0,8}}$")
LABEL_FIRST = re.compile(rf"^\W{{0,4}}({LABEL})[).:](?=\s|$)")


def option_label(reference: str, listed: Mapping[str, str]) -> str:
    """Return the label that a reference means: "B", "(b)", "B. text" or the text of an option; empty if none."""
    plain = plain_characters(reference).strip()
    if found := LABEL_ALONE.match(plain) or LABEL_FIRST.match(plain):
        return found[1].upper()
    wanted = comparable_option(reference)
    return next((label for label, text in listed.items() if comparable_option(text) == wanted), "")


def comparable_option(text: str) -> str:
    """Return the text of an option without case, markup and punctuation around it."""
    return fold(clean_option(text)).replace("ё", "е").strip(" .,;:!?\"'")
