"""Read the mathematical expression that an answer gives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from libra.judge.answers.expressions.comparison import are_equal, value_of
from libra.judge.answers.expressions.parsing import Node, parse_expression, variables_of
from libra.judge.answers.marks import CLOSE, OPEN, mark_structures, marked_texts
from libra.judge.answers.wording import fold, word_pattern
from libra.prompting.reasoning import strip_reasoning

TAIL_CHARACTERS = 4_000
MAX_CANDIDATES = 8
"""Maximum number of parts of an answer that are tried, the most telling first."""

FORMULA = re.compile(r"\$\$([^$]{1,400})\$\$|\$([^$\n]{1,400})\$|\\\[(.{1,400}?)\\\]|\\\((.{1,400}?)\\\)", re.DOTALL)
IS = re.compile(
    r"\b(?:is|are|be|equals|to|gives|get|ist|lautet|sind|est|sont|es|son|è|é|são|равн\w*|jest)\b:?|[:：]|为|是"
)
ANSWER = word_pattern("answer")
RELATION = re.compile(r"[=<>≤≥≠]|\\(?:le|ge|ne|lt|gt|in)(?![a-z])")
IS_SYMBOLIC = re.compile(r"[\\√π^]|[A-Za-z(\[{]")
SYMBOLS = re.compile(
    r"^\s*\$?\\?[({\[].*,|[A-Za-z]\s?=[^=]*[A-Za-z]|[<>≤≥]|\\(?:le|ge|ne|in)(?![a-z])|(?<![A-Za-z])\d*(?:[a-df-z]\s?(?:[-+*/^]|\\cdot)|e\^)"
    r"|(?:[-+*/^]|\\cdot)\s?\d*[a-z](?![A-Za-z])|^\d+[a-z]$"
)
"""Signs of an expression that is no number: a tuple, a relation, a variable in a sum or product."""

WITH_UNIT = re.compile(r"[-+]?[\d.,]+\s[A-Za-z/^²³\d]+")
MARKUP = re.compile(r"[*_`]{2,3}|^#+\s", re.MULTILINE)


def wanted_expression(reference: str) -> Node | None:
    """Return the expression in a field; None if it holds none, or words."""
    text = reference.strip().strip("$").strip()
    if not IS_SYMBOLIC.search(text):
        return None
    marked = marked_texts(mark_structures(text))
    return parse_expression(marked[-1][1] if marked else text)


def is_expression(reference: str) -> bool:
    """Tell whether a field holds an expression, and no number, even one with a unit such as "5 m/s^2"."""
    return SYMBOLS.search(reference) is not None and WITH_UNIT.fullmatch(reference.strip()) is None


def gives_expression(answer: str, wanted: Node) -> bool | None:
    """Tell whether an answer gives an expression that equals the wanted one; None if it gives none.

    The first part of the answer that is an expression counts: what is marked, then the last formula, then the end
    of the last line.
    """
    letters = frozenset("".join(variables_of(wanted)))
    is_relation = wanted.kind in "=<>≤≥≠" or wanted.kind == "chain"
    for number, candidate in enumerate(_candidates(answer)):
        if number >= MAX_CANDIDATES:
            break
        given = _parsed(candidate, letters, is_relation=is_relation)
        if given is not None:
            return are_equal(given, wanted)
    return None


def expression_value(answer: str) -> float | None:
    """Return the value of the expression without variables that an answer marks or ends with; None if there is none."""
    for number, candidate in enumerate(_candidates(answer)):
        if number >= MAX_CANDIDATES:
            break
        given = _parsed(candidate, frozenset(), is_relation=False)
        if given is not None:
            return value_of(given.parts[1] if given.kind == "=" else given)
    return None


def _parsed(candidate: str, letters: frozenset[str], *, is_relation: bool) -> Node | None:
    """Return the expression in a part of an answer; if no relation is wanted, what follows its last "="."""
    whole = parse_expression(candidate, letters)
    if whole is not None or is_relation or "=" not in candidate:
        return whole
    return parse_expression(candidate.rpartition("=")[2], letters)


def _candidates(answer: str) -> Iterator[str]:
    """Yield the parts of an answer that may be its final expression."""
    text = strip_reasoning(answer)[-TAIL_CHARACTERS:]
    for _, marked in reversed(marked_texts(mark_structures(text))):
        yield marked.strip().strip("$")
    text = MARKUP.sub("", text.replace(OPEN, "").replace(CLOSE, ""))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    stated = [line for line in lines if ANSWER.search(fold(line))]
    for line in [*reversed(stated[-2:]), *lines[-1:]]:
        yield from _in_line(line)
    for found in reversed(list(FORMULA.finditer(text))[-2:]):
        yield next(group for group in found.groups() if group)


def _in_line(line: str) -> Iterator[str]:
    formulas = [next(group for group in found.groups() if group) for found in FORMULA.finditer(line)]
    if len(formulas) > 1 and RELATION.search(formulas[-1]) is None:
        joined = [formulas[-1]]
        for found in reversed(list(FORMULA.finditer(line))[:-1]):
            between = line[found.end() :].partition("$")[0].strip(" $")
            if between not in {"and", "or", ",", "und", "oder", "et", "ou", "y", "o"}:
                break
            joined.insert(0, next(group for group in found.groups() if group))
        yield ", ".join(joined)
    yield from reversed(formulas)
    for cue in reversed(list(IS.finditer(fold(line)))):
        yield line[cue.end() :]
    yield line
