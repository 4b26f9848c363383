"""Read whether a text says yes or no."""

from __future__ import annotations

import re

from libra.judge.text.normalize import plain

YES, NO = "yes", "no"

MARKUP = re.compile(r"[*_#>`~|{}\[\]\"]+")
WORDS = {"yes": YES, "yeah": YES, "yep": YES, "true": YES, "no": NO, "nope": NO, "false": NO}
WORD = rf"(?P<word>{'|'.join(WORDS)})"
ENDS = r"(?!'?\w|-\w)"

AT_START = re.compile(rf"^\W{{0,20}}(?:(?:final )?answer\W{{1,8}})?{WORD}{ENDS}")
STATED = re.compile(
    rf"\b(?:answer|verdict|conclusion|judgement|judgment)(?: to (?:the|this|your) question)?(?: is| would be| must be|:| -){{1,3}}"
    rf"(?: (?:a|simply|clearly|therefore|that|definitely)){{0,3}}\W{{0,8}}{WORD}{ENDS}"
)
AT_END = re.compile(rf"(?:^|[.:;!?\n] ?|[—-] ?|\bso,? ){WORD}\W{{0,20}}$")
ANYWHERE = re.compile(
    rf"(?<![\w'-]){WORD}{ENDS}(?! (?:one|longer|matter|doubt|more|less|better|worse|need|reason|way)\b)"
)


HEAD_CHARACTERS, TAIL_CHARACTERS = 4_000, 16_000
"""Of a longer text, the beginning and the end are read."""


def says(text: str) -> frozenset[str]:
    """Return what a text says: yes, no, both if it contradicts itself, nothing if it says neither.

    A statement of the answer outweighs the word that the text begins with, and that one the last word; failing these, the
    words in it count if they agree.
    """
    flat = plain(MARKUP.sub(" ", ends_of(text)))
    for pattern in (STATED, AT_START, AT_END, ANYWHERE):
        if found := frozenset(WORDS[match["word"]] for match in pattern.finditer(flat)):
            return found
    return frozenset()


def ends_of(text: str) -> str:
    """Return a text that is not too long, else its beginning and its end."""
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return text
    return f"{text[:HEAD_CHARACTERS]}\n{text[-TAIL_CHARACTERS:]}"
