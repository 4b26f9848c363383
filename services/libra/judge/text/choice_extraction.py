"""Read which option an answer to a multiple-choice question names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from libra.judge.text.normalize import one_form, plain

OPTION_LINE = re.compile(
    r"^[ \t>*-]{0,6}(?:[(\[]([A-Za-z]|\d)[)\]]|([A-Z]|\d)[).:])[ \t]{1,8}(\S[^\n]*)$", re.MULTILINE
)
"""An option as a prompt lists it: "A. text", "(B) text", "3) text"."""

ANY_LETTERS = frozenset("ABCDEFGHIJ")
"""What an option may be called if the prompt does not say."""

FEWEST_OPTIONS = 2

LABEL = r"[*_`\"'({\[$\\]{0,4}(?:boxed\{|text\{|textbf\{|mathrm\{){0,2}(?P<label>[A-Za-z]|\d)(?![A-Za-z\d'])"
NOT_A_WORD = r"(?=[*_`\"')}\].:,;!?$\\-]|\s*$|\s*\n|\s+(?:and|or|because|since|as|is|which|from|with|for|the)\b| - )"
"""Behind "the answer is a", a word goes on: "a country" names no option."""

STATED = re.compile(
    r"(?:\b(?:final |correct |right |best |my |the |true |most appropriate |only ){0,4}(?:answer|choice|option|solution|response)"
    r"(?: to (?:the|this) question| here| in this case| that is correct)?"
    r"(?:\*\*|__)?(?: ?(?:is|was|would be|must be|should be|will be|has to be|could be|are|:|=|-|→)(?!\w)){1,2}"
    r"(?: (?:therefore|thus|definitely|clearly|probably|most likely|likely|indeed|simply|either|both|still|now|then|option|choice|answer"
    r"|letter|the|number)){0,3}|\\boxed|\b(?:i(?: would|'d| will|'ll)? (?:choose|chose|pick|select|go with|go for|say|answer|think(?: it(?:'s| is))?))"
    r"(?: (?:option|choice|answer|letter))?|\b(?:therefore|so|thus|hence),? it(?:'s| is)(?: option)?|\banswer)"
    r"[ \t:]{0,3}(?:\n[ \t]{0,4})?" + LABEL + NOT_A_WORD,
    re.IGNORECASE,
)
IS_RIGHT = re.compile(
    r"\b(?:option|choice|answer|statement)?\s?"
    + LABEL.replace("A-Za-z]|", "A-Z]|", 1)
    + r"[*_`\"')}\].]{0,3}(?:(?<=[.:)]) [^\n.,;]{1,80}?)? (?:is|must be|should be|would be|seems|appears to be)(?: clearly| definitely| therefore| the)? "
    r"(?:the )?(?:most )?(?:final |best )?(?:correct|right|true|accurate|the answer|my answer|answer|best)\b"
)
ALSO = re.compile(
    r"^[*_`\"')}\].]{0,3},?\s(?:and|or|and/or|&|/)\s(?:also )?(?:option |choice |answer )?" + LABEL + NOT_A_WORD,
    re.IGNORECASE,
)
NEGATED = re.compile(
    r"(?:\bnot|n't|\bnever|\bneither|\brather than|\binstead of)\W{1,3}(?:option |choice |answer )?$", re.IGNORECASE
)

ALONE = re.compile(
    r"^[\s*_`\"'({\[$\\>#-]{0,8}(?:(?:option|choice|answer|letter)[\s:*]{1,4})?[*_`\"'({\[]{0,3}([A-Za-z]|\d)[\s*_`\"')}\].:,;!$\\]{0,8}$",
    re.IGNORECASE,
)
"""The whole text, or a line of it, is a label."""

AT_LINE_START = re.compile(
    r"^[ \t*_`\"'>-]{0,6}(?:[(\[]([A-Za-z]|\d)[)\]]|([A-Z]|\d)[*_]{0,2}[).:])(?=[\s*_]|$)", re.MULTILINE
)
IN_OTHER_WORDS = re.compile(
    r"(?:[:：]|[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]|(?<!\w)(?:ist|est|es|è|é|jest|är|er|là|adalah|este|है|هي|هو)\s)[\s*(（「]{0,4}"
    r"([A-Z])[\s*.。)）」!]{0,4}(?:입니다[.]?|です[.。]?)?$",
    re.MULTILINE,
)
"""In other languages than English: the letter that ends a line, behind a colon, a word for "is", or a script without case."""

AT_START = re.compile(r"^[\s*_`\"'(]{0,4}([A-Z])(?:,| [-–—]) ")
MARKED = re.compile(
    r"\(([A-Z]|\d)\)|\*\*\(?([A-Z]|\d)[).:]{0,2}\*\*|\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer) \(?([A-Z]|\d)\b(?!')"
)

FINAL = re.compile(r"final answer|\\boxed", re.IGNORECASE)

HEAD_CHARACTERS = 4_000
TAIL_CHARACTERS = 16_000


@dataclass(frozen=True, slots=True)
class Choice:
    """What an answer names."""

    labels: frozenset[str]
    """The labels; one if it is clear, none or several if not."""

    how: str
    """By what it was read, for people."""


def options(prompt: str) -> dict[str, str]:
    """Return the options that a prompt lists, label to text; empty if it lists none.

    Where it lists some more than once, as examples do, the last list counts.
    """
    lists: list[dict[str, str]] = []
    for found in OPTION_LINE.finditer(prompt):
        label = (found[1] or found[2]).upper()
        if not lists or label in lists[-1] or label in "A1":
            lists.append({})
        lists[-1][label] = found[3].strip()
    return next((one for one in reversed(lists) if len(one) >= FEWEST_OPTIONS), {})


def chosen(text: str, listed: Mapping[str, str]) -> Choice:
    """Return which of the listed options a text names; any letter up to J may be one if none is listed.

    What is stated outweighs what stands alone, and that what is merely marked: a text may go through all the options and say
    at the end which it is. Statements that contradict each other are all returned.
    """
    valid = frozenset(listed) or ANY_LETTERS
    text = (
        text
        if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS
        else f"{text[:HEAD_CHARACTERS]}\n{text[-TAIL_CHARACTERS:]}"
    )
    readings = (
        ("it stands alone", _alone(text)),
        ("it is stated", _stated(text)),
        ("a line is it alone", _lines_alone(text)),
        ("it begins a line", (one or other for one, other in AT_LINE_START.findall(text))),
        ("it begins the text", AT_START.findall(text)),
        ("it ends a line", IN_OTHER_WORDS.findall(text)),
        ("it is marked", (one or other or third for one, other, third in MARKED.findall(text))),
    )
    for how, labels in readings:
        named = frozenset(label.upper() for label in labels) & valid
        if named:
            return Choice(named | (_begun_with(text) & valid), how)
    return Choice(by_text(text, listed), "its text is given")


def by_text(text: str, listed: Mapping[str, str]) -> frozenset[str]:
    """Return the options whose own text stands in the text; one that is a part of another counts only where it stands alone."""
    said = f" {plain(text)} "
    shapes = {label: plain(option).strip(" .,;:!?\"'") for label, option in listed.items()}
    named = set()
    for label, shape in sorted(shapes.items(), key=lambda item: -len(item[1])):
        pattern = rf"(?<![^\W_]){re.escape(shape)}(?![^\W_])"
        if shape and re.search(pattern, said):
            named.add(label)
            said = re.sub(pattern, " | ", said)
    return frozenset(named)


def label_of(held: str, listed: Mapping[str, str]) -> str:
    """Return the label that a field means: "B", "(b)", "B. text" or the text of an option; empty if it means none."""
    if found := ALONE.match(held):
        return found[1].upper()
    if found := AT_LINE_START.match(held):
        return (found[1] or found[2]).upper()
    wanted = plain(held).strip(" .")
    return next((label for label, text in listed.items() if plain(text).strip(" .") == wanted), "")


def _begun_with(text: str) -> frozenset[str]:
    """Return the label that a text begins with, unless it goes through several or names a final answer."""
    at_lines = {(one or other).upper() for one, other in AT_LINE_START.findall(text)}
    return (
        frozenset(at_lines)
        if len(at_lines) == 1 and AT_LINE_START.match(text) and not FINAL.search(text)
        else frozenset()
    )


def _alone(text: str) -> Iterable[str]:
    found = ALONE.match(text.strip())
    return [found[1]] if found else []


def _lines_alone(text: str) -> Iterable[str]:
    lines = (ALONE.match(line) for line in text.splitlines() if len(line) < 40)  # noqa: PLR2004 - a label and its ornaments
    return [found[1] for found in lines if found]


def _stated(text: str) -> list[str]:
    """Return what is stated; where something is called final, only what is stated from there on."""
    flat = one_form(text) if "\n" not in text else text
    finals = [found.start() for found in FINAL.finditer(flat)]
    if finals and (final := _statements(flat[finals[-1] :])):
        return final
    return _statements(flat)


def _statements(text: str) -> list[str]:
    named = []
    for pattern in (STATED, IS_RIGHT):
        for found in pattern.finditer(text):
            if NEGATED.search(text[max(0, found.start("label") - 30) : found.start("label")]):
                continue
            named.append(found["label"])
            if also := ALSO.match(text[found.end("label") : found.end("label") + 60]):
                named.append(also["label"])
    return named
