"""Undo the markup and the typography of an answer, so that the readers see plain text."""

from __future__ import annotations

import html
import re
import unicodedata

from libra.judge.answers.latex import plain_latex
from libra.judge.answers.marks import CLOSE, OPEN, mark_structures
from libra.judge.text.normalize import DASHES, INVISIBLE, QUOTES, TAGS, head_and_tail
from libra.prompting.reasoning import strip_reasoning

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ"
SUPERSCRIPT_RUN = re.compile(f"[{SUPERSCRIPTS}]+")
PLAIN_SUPERSCRIPTS = str.maketrans(SUPERSCRIPTS, "0123456789+-n")
PUNCTUATION = str.maketrans(
    {"。": ". ", "、": ", ", "।": ". ", "॥": ". ", "؟": "?", "،": ", ", "؛": "; ", "٬": ",", "٫": ".", "٪": "%"}
    | dict.fromkeys("「『《〈【", "[")
    | dict.fromkeys("」』》〉】", "]")
    | {"⁄": "/", "∕": "/", "∶": ":", "•": "-", "·": "×", "⋅": "×", "∙": "×", "≃": "≈", "∼": "≈"}
)
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
SYMBOLS = INVISIBLE | TAGS | QUOTES | DASHES

STRUCK = re.compile(r"~~[^~\n]{1,200}~~|<(s|del|strike)>[^<>\n]{1,200}</\1>", re.IGNORECASE)
FENCE = re.compile(r"^[ \t]*(?:```|~~~)[\w+-]*[ \t]*$", re.MULTILINE)
LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>(?![ \t]?\d)[ \t]?)+", re.MULTILINE)
RUN_OF_EMPHASIS = re.compile(r"(?<=\d)\*\*(?=\d)|\*{2,3}|(?<![A-Za-z0-9])_{1,3}(?=\S)|(?<=\S)_{1,3}(?![A-Za-z0-9])|`+")
SINGLE_STARS = re.compile(r"(?<![\w*)])\*(?=[^\s*])([^*\n]{1,200})(?<=[^\s*])\*(?![\w*(])")
FOOTNOTE = re.compile(r"^\[\^?\d{1,3}\]:[^\n]*$|\[\^\d{1,3}\]|(?<=[\d.)%])[ ]?(?:\[\d{1,3}\]){1,9}(?!\()", re.MULTILINE)
LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\([^()\s]{1,400}\)")
REPEATED_SPACES = re.compile(r"[ \t]{2,}")
SUPERSCRIPT_TAG = re.compile(r"<sup>([^<>]{1,20})</sup>", re.IGNORECASE)
TAG = re.compile(
    r"</?(?:[biup]|(?i:em|strong|br|hr|div|span|su[bp]|[uod]l|li|h[1-6]|code|pre|center|font|table|t[rdh]|thead|tbody"
    r"|details|summary|small|mark|tt|html|body|response|thoughts?|explanation|reason(?:ing)?))(?:\s[^<>]{0,200})?/?>"
)


def clean_answer(text: str) -> str:
    """Return the text of an answer without reasoning, markup, LaTeX and look-alike forms. Lines are kept.

    What is marked as the final answer by a tag, a field of JSON or a box stands between OPEN and CLOSE.
    """
    text = head_and_tail(strip_reasoning(text))
    if "~~" in text or "</" in text:
        text = STRUCK.sub(" ", text)
    text = plain_characters(mark_structures(PRIVATE_USE.sub("", text) if not text.isascii() else text))
    if any(mark in text for mark in "\\${"):
        text = plain_latex(text)
    return _without_markup(text)


def clean_option(text: str) -> str:
    """Return the text of an option in the form in which a cleaned answer has it."""
    text = plain_characters(text)
    text = plain_latex(text) if any(mark in text for mark in "\\${") else text
    return " ".join(_without_markup(text).replace(OPEN, "").replace(CLOSE, "").split())


def plain_characters(text: str) -> str:
    """Return text with plain letters, digits, punctuation and spaces; superscripts become powers. Lines are kept."""
    if text.isascii():
        return text
    text = SUPERSCRIPT_RUN.sub(lambda run: "^" + run[0].translate(PLAIN_SUPERSCRIPTS), text)
    spaced = "".join(f" {one}" if _is_fraction(one) else one for one in text)
    text = unicodedata.normalize("NFKC", spaced.translate(SYMBOLS).translate(PUNCTUATION))
    text = text.translate(QUOTES | DASHES).translate(PUNCTUATION)
    return "".join(one if one.isascii() else _plain_digit(one) for one in text)


def _is_fraction(character: str) -> bool:
    return character >= "\xbc" and unicodedata.decomposition(character).startswith("<fraction>")


def _plain_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _without_markup(text: str) -> str:
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = TAG.sub(" ", SUPERSCRIPT_TAG.sub(r"^\1", text))
    if "`" in text or "~~~" in text:
        text = FENCE.sub("", text)
    if "#" in text or ">" in text:
        text = LINE_MARK.sub("", text)
    if "[" in text:
        text = FOOTNOTE.sub("", LINK.sub(r"\1", text))
    if "*" in text or "_" in text or "`" in text:
        text = RUN_OF_EMPHASIS.sub(lambda run: "^" if _is_power(text, run) else "", text)
        text = SINGLE_STARS.sub(r"\1", text)
    if "  " in text:
        text = REPEATED_SPACES.sub(" ", text)
    return text.strip()


def _is_power(text: str, run: re.Match[str]) -> bool:
    """Tell whether two stars stand between digits, as in 10**5."""
    start, end = run.span()
    return run[0] == "**" and text[start - 1 : start].isdigit() and text[end : end + 1].isdigit()
