"""Take off what surrounds an answer: reasoning, a mark of the final answer, a code fence, a heading."""

from __future__ import annotations

import re

from libra.judge.answers.marks import CLOSE, OPEN, mark_structures, marked_texts
from libra.judge.answers.wording import fold, word_pattern
from libra.prompting.reasoning import strip_reasoning

MAX_LAYERS = 6
MAX_CHARACTERS = 20_000
"""A longer answer is not an accepted text in a wrapping."""

WRAPPINGS = (
    re.compile(r"(?:```|~~~)[\w+-]*[ \t]*\n(.*?)\n?[ \t]*(?:```|~~~)", re.DOTALL),
    re.compile(r"<((?:final_?)?answer|output|result|response)>(.*)</\1>", re.DOTALL | re.IGNORECASE),
    re.compile(r"\\(?:boxed|fbox|text(?:bf|it|rm|tt)?|math(?:bf|rm|it|sf|tt))\{([^{}]*(?:\{[^{}]*\}[^{}]*){0,9})\}"),
    re.compile(r"\\\((.*)\\\)", re.DOTALL),
    re.compile(r"\\\[(.*)\\\]", re.DOTALL),
    re.compile(r"\$\$([^$]+)\$\$"),
    re.compile(r"\$([^$]+)\$"),
    re.compile(r"(?:#{1,6}|>)[ \t]+([^\n]+)"),
)


ANSWER_LINE = re.compile(
    rf"^[\W_]*(?:(?:the|my|so|die|meine|la|ma|il|o|a) ){{0,2}}{word_pattern('answer').text}[*_]{{0,3}}"
    r"(?:\s?[:：][*_]{0,3}|\s(?:is|ist|lautet|est|es|è|é|är|jest)[:：])[ \t]*(?P<answer>\S[^\n]*)$",
    re.MULTILINE,
)
"""A line that names the answer after a colon, in text without case; "The answer is Paris." is another text."""

MARKED = dict.fromkeys(map(ord, f"{OPEN}{CLOSE}"))

WRAPPING_STARTS = frozenset("`~<\\$#>")
"""A text that one of WRAPPINGS matches begins with one of these."""


def marked_answer(text: str) -> str:
    """Return what the last mark of the final answer says: a tag, a field, a box, "answer:"; the text if it has none."""
    if not may_have_mark(text):
        return text
    if structures := marked_texts(mark_structures(text.translate(MARKED))):
        return structures[-1][1].strip()
    lines = list(ANSWER_LINE.finditer(fold(text)))
    return text[slice(*lines[-1].span("answer"))].strip() if lines else text


def may_have_mark(text: str) -> bool:
    """Tell quickly whether a text has one of the signs without which no mark of the final answer is found.

    A tag needs "<", a box a backslash, a line of hashes "#", and a field of JSON and "answer:" a colon.
    """
    return "<" in text or "\\" in text or "#" in text or ":" in text or "：" in text


def unwrapped(text: str) -> str:
    """Return an answer without its reasoning and without what surrounds it."""
    text = strip_reasoning(text)
    if len(text) > MAX_CHARACTERS:
        return text
    text = marked_answer(text)
    for _ in range(MAX_LAYERS):
        if text[:1] not in WRAPPING_STARTS:
            break
        inside = next((found[found.lastindex or 0] for one in WRAPPINGS if (found := one.fullmatch(text))), None)
        if inside is None:
            break
        text = inside.strip()
    return text
