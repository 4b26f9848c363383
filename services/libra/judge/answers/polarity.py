"""Read whether an answer says yes or no, and whether it agrees or disagrees."""

from __future__ import annotations

import re
from functools import cache

from libra.judge.answers.cleaning import clean_answer
from libra.judge.answers.echo import echoed_polarity
from libra.judge.answers.next_question import readings_of
from libra.judge.answers.statements import read_statements, text_mention
from libra.judge.answers.wording import alternatives, compile_words, fold, load_words, phrases
from libra.judge.text.lazy_pattern import LazyPattern

YES, NO = "yes", "no"
ANSWERS = (YES, NO)
AGREES, DISAGREES = "agrees", "disagrees"
STANCES = (AGREES, DISAGREES)

DATA = load_words("polarity.yaml")
PAUSE = r"(?=\s{0,3}(?:$|[.,;:!?)\]\"'-]|\Z))"
OPENING = (
    r"(?:^|(?<=[.,;:!?(\[\"'\n\uf000-]\s)|(?<=[.,;:!?(\[\"'\n\uf000-])|(?<=\sso\s)|(?<=\sis\s)|(?<=:\s\s))[\s(]{0,2}"
)

Words = tuple[tuple[str, str], tuple[str, str]]
"""Positive and negative phrases: each pair is of phrases anywhere and at the start."""

YES_NO_WORDS: Words = (
    (DATA["yes"]["anywhere"], DATA["yes"]["opening"]),
    (DATA["no"]["anywhere"], DATA["no"]["opening"]),
)
STANCE_WORDS: Words = (
    (f"{DATA['stance']['agree']} {DATA['yes']['anywhere']}", DATA["yes"]["opening"]),
    (f"{DATA['stance']['disagree']} {DATA['no']['anywhere']}", DATA["no"]["opening"]),
)


@cache
def _pattern(words: Words, *, ascii_only: bool) -> re.Pattern[str]:
    """Return one pattern; a match of the group `no` is negative."""
    positive, negative = words

    def of(text: str) -> str:
        pattern = compile_words(phrases(text))
        return pattern.ascii_text if ascii_only else pattern.text

    return re.compile(
        rf"(?P<no>{of(negative[0])}|{OPENING}{of(negative[1])}{PAUSE})|{of(positive[0])}|{OPENING}{of(positive[1])}{PAUSE}",
        re.MULTILINE,
    )


def _called_wrong() -> re.Pattern[str]:
    """Return the pattern of a yes or no that is only mentioned and called wrong, as in "saying yes would be a lie"."""
    words = {name: alternatives(phrases(text)) for name, text in DATA["mentioned"].items()}
    return re.compile(
        rf"[\"']?(?:(?P<yes>{words['yes']})|(?P<no>{words['no']}))[.!]?[\"']?(?:\s(?:here|to (?:this|that"
        rf"|it)|in this case|hier|ici|aquí|qui|здесь)|\sas an answer)?"
        rf"\s?{words['joined']}\s?(?:\w+ly |an? (?:\w+ ){{0,3}})?{words['wrong']}"
        rf"|{words['wrong']},? {words['to_say']} (?:that )?[\"']?(?:(?P<yes_said>{words['yes']})"
        rf"|(?P<no_said>{words['no']}))(?!\w)"
    )


CALLED_WRONG = LazyPattern(_called_wrong)
NO_STANCE = compile_words(phrases(DATA["stance"]["none"]))


def yes_no_answers(text: str, question: str = "") -> frozenset[str]:
    """Return the answers in a text: yes, no, both if it contradicts itself, none if it says neither.

    An answer that only repeats the question as a statement, as in "It is not safe", counts as well.
    """
    cleaned = clean_answer(text)
    for part in readings_of(cleaned):
        found = _read(fold(part), YES_NO_WORDS)
        if found:
            return frozenset(ANSWERS[option] for option in found)
    echoed = echoed_polarity(fold(cleaned), question)
    return frozenset([echoed]) if echoed else frozenset()


def stance_of(text: str) -> str:
    """Return the last stance in a text: "agrees", "disagrees", or "" if there is none."""
    for part in readings_of(clean_answer(text)):
        folded = NO_STANCE.pattern.sub(" ", fold(part))
        found = _read(folded, STANCE_WORDS, last_counts=True)
        if len(found) == 1:
            return STANCES[next(iter(found))]
    return ""


def _read(text: str, words: Words, *, last_counts: bool = False) -> frozenset[int]:
    pattern = _pattern(words, ascii_only=text.isascii())
    text = CALLED_WRONG.sub(lambda found: f"not {text_mention(1 if found['no'] or found['no_said'] else 0)}", text)
    with_mentions = pattern.sub(_mention, text)
    statements = read_statements(with_mentions, is_polarity=True)
    found, _ = statements.conclusion(last_counts=last_counts)
    if not found and len(statements.denied) == 1:
        return frozenset({0, 1}) - frozenset(statements.denied)
    return found


def _mention(found: re.Match[str]) -> str:
    """Return the mention of a phrase, with the space before it."""
    space = found[0][: len(found[0]) - len(found[0].lstrip(" \t\n("))]
    return f"{space}{text_mention(1 if found['no'] else 0)}"
