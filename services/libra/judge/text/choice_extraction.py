"""Read which option of a multiple-choice question an answer names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from libra.judge.text.normalize import head_and_tail, normalize, normalize_and_casefold

OPTION_LINE = re.compile(
    r"^[ \t>*-]{0,6}(?:[(\[]([A-Za-z]|\d)[)\]]|([A-Z]|\d)[).:])[ \t]{1,8}(\S[^\n]*)$", re.MULTILINE
)
"""An option in a prompt: "A. text", "(B) text", "3) text"."""

DEFAULT_LABELS = frozenset("ABCDEFGHIJ")
"""The labels that are possible if the prompt lists no options."""

MIN_OPTIONS = 2

LABEL = r"[*_`\"'({\[$\\]{0,4}(?:boxed\{|text\{|textbf\{|mathrm\{){0,2}(?P<label>[A-Za-z]|\d)(?![A-Za-z\d'])"
LABEL_END = r"(?=[*_`\"')}\].:,;!?$\\-]|\s*$|\s*\n|\s+(?:and|or|because|since|as|is|which|from|with|for|the)\b| - )"
"""What must follow a label, because "a country" after "the answer is" names no option."""

STATED = re.compile(
    r"(?:\b(?:final |correct |right |best |my |the |true |most appropriate |only ){0,4}"
    r"(?:answer|choice|option|solution|response)"
    r"(?: to (?:the|this) question| here| in this case| that is correct)?"
    r"(?:\*\*|__)?"
    r"(?: ?(?:is|was|would be|must be|should be|will be|has to be|could be|are|:|=|-|→)(?!\w)){1,2}"
    r"(?: (?:therefore|thus|definitely|clearly|probably|most likely|likely|indeed|simply|either|both|still|now|then"
    r"|option|choice|answer|letter|the|number)){0,3}"
    r"|\\boxed"
    r"|\b(?:i(?: would|'d| will|'ll)? (?:choose|chose|pick|select|go with|go for|say|answer|think(?: it(?:'s| is))?))"
    r"(?: (?:option|choice|answer|letter))?"
    r"|\b(?:therefore|so|thus|hence),? it(?:'s| is)(?: option)?"
    r"|\banswer)"
    r"[ \t:]{0,3}(?:\n[ \t]{0,4})?" + LABEL + LABEL_END,
    re.IGNORECASE,
)
IS_RIGHT = re.compile(
    r"\b(?:option|choice|answer|statement)?\s?"
    + LABEL.replace("A-Za-z]|", "A-Z]|", 1)
    + r"[*_`\"')}\].]{0,3}(?:(?<=[.:)]) [^\n.,;]{1,80}?)?"
    r" (?:is|must be|should be|would be|seems|appears to be)(?: clearly| definitely| therefore| the)? "
    r"(?:the )?(?:most )?(?:final |best )?(?:correct|right|true|accurate|the answer|my answer|answer|best)\b"
)
AND_ANOTHER = re.compile(
    r"^[*_`\"')}\].]{0,3},?\s(?:and|or|and/or|&|/)\s(?:also )?(?:option |choice |answer )?" + LABEL + LABEL_END,
    re.IGNORECASE,
)
NEGATION = re.compile(
    r"(?:\bnot|n't|\bnever|\bneither|\brather than|\binstead of)\W{1,3}(?:option |choice |answer )?$", re.IGNORECASE
)
NEGATION_CHARACTERS, AND_ANOTHER_CHARACTERS = 30, 60
"""How much of the text before and after a label is searched for these."""

ALONE = re.compile(
    r"^[\s*_`\"'({\[$\\>#-]{0,8}(?:(?:option|choice|answer|letter)[\s:*]{1,4})?"
    r"[*_`\"'({\[]{0,3}([A-Za-z]|\d)[\s*_`\"')}\].:,;!$\\]{0,8}$",
    re.IGNORECASE,
)
"""A text, or a line of it, that is only a label."""

MAX_LABEL_LINE_CHARACTERS = 40
"""A line that is only a label is shorter than this."""

AT_LINE_START = re.compile(
    r"^[ \t*_`\"'>-]{0,6}(?:[(\[]([A-Za-z]|\d)[)\]]|([A-Z]|\d)[*_]{0,2}[).:])(?=[\s*_]|$)", re.MULTILINE
)
AT_LINE_END = re.compile(
    r"(?:[:：]|[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]"
    r"|(?<!\w)(?:ist|est|es|è|é|jest|är|er|là|adalah|este|है|هي|هو)\s)[\s*(（「]{0,4}"
    r"([A-Z])[\s*.。)）」!]{0,4}(?:입니다[.]?|です[.。]?)?$",
    re.MULTILINE,
)
"""In other languages: a label at the end of a line, after a colon, a word for "is", or a script without case."""

AT_TEXT_START = re.compile(r"^[\s*_`\"'(]{0,4}([A-Z])(?:,| [-–—]) ")
MARKED = re.compile(
    r"\(([A-Z]|\d)\)|\*\*\(?([A-Z]|\d)[).:]{0,2}\*\*|\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer) \(?([A-Z]|\d)\b(?!')"
)

FINAL = re.compile(r"final answer|\\boxed", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedOptions:
    """The options that an answer names."""

    labels: frozenset[str]
    """One label if the answer is clear; none or several if not."""

    how: str
    """How the labels were found, as a short reason."""


def listed_options(prompt: str) -> dict[str, str]:
    """Return the options in a prompt, label to text; empty if it lists none.

    If there are several lists, as in a prompt with examples, the last one counts.
    """
    lists: list[dict[str, str]] = []
    for found in OPTION_LINE.finditer(prompt):
        label = (found[1] or found[2]).upper()
        if not lists or label in lists[-1] or label in "A1":
            lists.append({})
        lists[-1][label] = found[3].strip()
    return next((one for one in reversed(lists) if len(one) >= MIN_OPTIONS), {})


def named_options(text: str, listed: Mapping[str, str]) -> NamedOptions:
    """Return which of the listed options a text names; if none are listed, any letter up to J may be an option.

    The first kind of evidence that occurs decides, because a text may discuss all options and state its choice at the
    end. Statements that contradict each other are all returned.
    """
    valid = frozenset(listed) or DEFAULT_LABELS
    text = head_and_tail(text)
    readings = (
        ("the label stands alone", _alone(text)),
        ("the label is stated", _stated(text)),
        ("a line is only the label", _lines_alone(text)),
        ("the label begins a line", _first_groups(AT_LINE_START, text)),
        ("the label begins the text", AT_TEXT_START.findall(text)),
        ("the label ends a line", AT_LINE_END.findall(text)),
        ("the label is marked", _first_groups(MARKED, text)),
    )
    for how, labels in readings:
        named = frozenset(label.upper() for label in labels) & valid
        if named:
            return NamedOptions(named | (_leading_label(text) & valid), how)
    return NamedOptions(options_by_text(text, listed), "the option's text is given")


def options_by_text(text: str, listed: Mapping[str, str]) -> frozenset[str]:
    """Return the options whose own text is in the text. An option inside a longer one counts only elsewhere."""
    remaining = f" {normalize_and_casefold(text)} "
    plain = {label: normalize_and_casefold(option).strip(" .,;:!?\"'") for label, option in listed.items()}
    named = set()
    for label, option in sorted(plain.items(), key=lambda item: -len(item[1])):
        pattern = rf"(?<![^\W_]){re.escape(option)}(?![^\W_])"
        if option and re.search(pattern, remaining):
            named.add(label)
            remaining = re.sub(pattern, " | ", remaining)
    return frozenset(named)


def option_label(reference: str, listed: Mapping[str, str]) -> str:
    """Return the label that a reference means: "B", "(b)", "B. text" or the text of an option; empty if none."""
    if found := ALONE.match(reference):
        return found[1].upper()
    if found := AT_LINE_START.match(reference):
        return (found[1] or found[2]).upper()
    wanted = normalize_and_casefold(reference).strip(" .")
    return next((label for label, text in listed.items() if normalize_and_casefold(text).strip(" .") == wanted), "")


def _first_groups(pattern: re.Pattern[str], text: str) -> Iterable[str]:
    """Yield, for each match, its first group that is not empty."""
    return (next(filter(None, groups)) for groups in pattern.findall(text))


def _leading_label(text: str) -> frozenset[str]:
    """Return the label at the start of a text, unless the text lists several labels or names a final answer."""
    labels = {label.upper() for label in _first_groups(AT_LINE_START, text)}
    is_leading = len(labels) == 1 and AT_LINE_START.match(text) and not FINAL.search(text)
    return frozenset(labels) if is_leading else frozenset()


def _alone(text: str) -> Iterable[str]:
    found = ALONE.match(text.strip())
    return [found[1]] if found else []


def _lines_alone(text: str) -> Iterable[str]:
    lines = (ALONE.match(line) for line in text.splitlines() if len(line) < MAX_LABEL_LINE_CHARACTERS)
    return [found[1] for found in lines if found]


def _stated(text: str) -> list[str]:
    """Return the labels that are stated; if something is called final, only those from there on."""
    flat = normalize(text) if "\n" not in text else text
    finals = [found.start() for found in FINAL.finditer(flat)]
    if finals and (final := _statements(flat[finals[-1] :])):
        return final
    return _statements(flat)


def _statements(text: str) -> list[str]:
    named = []
    for pattern in (STATED, IS_RIGHT):
        for found in pattern.finditer(text):
            start, end = found.span("label")
            if NEGATION.search(text[max(0, start - NEGATION_CHARACTERS) : start]):
                continue
            named.append(found["label"])
            if another := AND_ANOTHER.match(text[end : end + AND_ANOTHER_CHARACTERS]):
                named.append(another["label"])
    return named
