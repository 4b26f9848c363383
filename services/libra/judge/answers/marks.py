"""Find what an answer marks as final by its structure: a tag, a field of JSON, a box, or four hashes."""

from __future__ import annotations

import re

OPEN, CLOSE = "\uf000", "\uf001"
"""Enclose what is marked as the final answer."""

NAMES = (
    r"(?:final|my|correct|selected|chosen)?[ _-]?"
    r"(?:answer|choice|option|letter|result|solution|prediction|verdict|stance)|final|output|label"
)

ANSWER_TAG = re.compile(
    rf"<({NAMES})>\s{{0,9}}([^<]{{1,400}}?(?:<(?!/?\1)[^<]{{0,400}}?){{0,9}})(?:</\1>|\Z)", re.IGNORECASE
)
ANSWER_FIELD = re.compile(
    rf"[\"']({NAMES})[\"']\s{{0,4}}:\s{{0,4}}"
    r"(?:\"((?:[^\"\\\n]|\\[^\n]){0,400})\"|'([^'\n]{0,400})'|\[([^\[\]]{0,400})\]|([-+]?[\w.,/%]{1,60}))",
    re.IGNORECASE,
)
HASHES = re.compile(r"####[ \t]{0,4}([^\s#][^\n#]{0,40})$", re.MULTILINE)
BOX = re.compile(r"\\(?:boxed|fbox)[ ]?(?:\{|(?=[A-Za-z0-9] ?[.$\s]|[A-Za-z0-9]\Z))")
HEADING_WORDS = re.compile(
    r"\d{0,2}[.):]? ?(?:step|part|solution|explanation|reason|answer|final|question|note|option)", re.IGNORECASE
)

JOINED = re.compile(f"{CLOSE}[\\s$]{{0,4}}(and|or|und|oder|et|ou|y|o|和|或)[\\s$]{{0,4}}{OPEN}")
"""Two marks that belong together."""

MAX_BOX_CHARACTERS = 400


def mark_structures(text: str) -> str:
    """Return the text with OPEN and CLOSE around everything that its structure marks as final."""
    if "<" in text:
        text = ANSWER_TAG.sub(lambda tag: f" {OPEN}{tag[2]}{CLOSE} ", text)
    if '"' in text or "'" in text:
        text = ANSWER_FIELD.sub(_marked_field, text)
    if "####" in text:
        text = HASHES.sub(lambda line: line[0] if HEADING_WORDS.match(line[1]) else f"{OPEN}{line[1]}{CLOSE}", text)
    text = _mark_boxes(text) if "\\" in text else text
    return JOINED.sub(r" \1 ", text) if OPEN in text else text


def marked_texts(text: str) -> list[tuple[int, str]]:
    """Return the marked parts of a cleaned text with their positions, in order."""
    parts = []
    start = text.find(OPEN)
    while start >= 0:
        end = text.find(CLOSE, start)
        end = len(text) if end < 0 else end
        parts.append((start, text[start + 1 : end]))
        start = text.find(OPEN, end)
    return parts


def _marked_field(field: re.Match[str]) -> str:
    value = next((group for group in field.groups()[1:] if group is not None), "")
    return f"{OPEN}{value}{CLOSE}"


def _mark_boxes(text: str) -> str:
    pieces, position = [], 0
    for box in BOX.finditer(text):
        if box.start() < position:
            continue
        end = _box_end(text, box.end()) if text[box.end() - 1] == "{" else box.end() + 1
        pieces += [text[position : box.start()], OPEN, text[box.end() : end], CLOSE]
        position = end + (text[end : end + 1] == "}")
    return "".join([*pieces, text[position:]])


def _box_end(text: str, start: int) -> int:
    """Return where the box that begins at a place ends: at its closing brace, or at the end of the line."""
    depth = 1
    limit = min(len(text), start + MAX_BOX_CHARACTERS)
    for place in range(start, limit):
        character = text[place]
        escaped = text[place - 1] == "\\"
        depth += (character == "{") - (character == "}") if not escaped else 0
        if not depth:
            return place
    line_end = text.find("\n", start, limit)
    return line_end if line_end >= 0 else limit
