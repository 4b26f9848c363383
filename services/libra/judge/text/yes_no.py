"""Read whether a text says yes or no."""

from __future__ import annotations

import re

from libra.judge.text.normalize import head_and_tail, normalize_and_casefold

YES, NO = "yes", "no"

MARKUP = re.compile(r"[*_#>`~|{}\[\]\"]+")
WORDS = {"yes": YES, "yeah": YES, "yep": YES, "true": YES, "no": NO, "nope": NO, "false": NO}
WORD = rf"(?P<word>{'|'.join(WORDS)})"
WORD_END = r"(?!'?\w|-\w)"

AT_START = re.compile(rf"^\W{{0,20}}(?:(?:final )?answer\W{{1,8}})?{WORD}{WORD_END}")
STATED = re.compile(
    r"\b(?:answer|verdict|conclusion|judgement|judgment)(?: to (?:the|this|your) question)?"
    r"(?: is| would be| must be|:| -){1,3}"
    rf"(?: (?:a|simply|clearly|therefore|that|definitely)){{0,3}}\W{{0,8}}{WORD}{WORD_END}"
)
AT_END = re.compile(rf"(?:^|[.:;!?\n] ?|[—-] ?|\bso,? ){WORD}\W{{0,20}}$")
ANYWHERE = re.compile(
    rf"(?<![\w'-]){WORD}{WORD_END}(?! (?:one|longer|matter|doubt|more|less|better|worse|need|reason|way)\b)"
)


def yes_no_answers(text: str) -> frozenset[str]:
    """Return the answers in a text: yes, no, both if it contradicts itself, none if it says neither.

    The first kind of evidence that occurs decides: a statement of the answer, the first word, the last word, and then
    any other word for yes or no.
    """
    flat = normalize_and_casefold(MARKUP.sub(" ", head_and_tail(text)))
    for pattern in (STATED, AT_START, AT_END, ANYWHERE):
        if found := frozenset(WORDS[match["word"]] for match in pattern.finditer(flat)):
            return found
    return frozenset()
