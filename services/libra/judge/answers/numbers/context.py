"""The words around numbers: marks of the answer, results, denials, bounds, and numbers that are something else."""

from __future__ import annotations

import re

from libra.judge.answers.numbers.parsing import ParsedNumber
from libra.judge.answers.wording import alternatives, compile_words, fold, load_words, phrases, word_pattern
from libra.judge.text.lazy_pattern import LazyPattern

DATA = load_words("numbers.yaml")

ANSWER = word_pattern("answer")
CORRECTION = word_pattern("correction")
NOT = word_pattern("not")
NOT_AFTER = word_pattern("not_after")
RESULT = compile_words(phrases(DATA["result"]))
BOUND = compile_words([f"{one}(?=\\W*(?:the |a )?$)" for one in phrases(DATA["bound"])])
ASIDE = compile_words([f"{one}(?=\\W*$)" for one in phrases(DATA["aside"])])
HEDGES = "about |approximately |only |just |exactly |roughly |now "
COPULA = compile_words([rf"{one}(?=\W*(?:{HEDGES})?\W*$)" for one in phrases(DATA["copula"])])
CHECK_LINE = LazyPattern(lambda: re.compile(rf"\W*{alternatives(phrases(DATA['check_line']))}\W*[:.]"))
STEP = LazyPattern(
    lambda: re.compile(
        rf"{alternatives(phrases(DATA['step']))}[ ]?#?[ ]?\d{{1,3}}(?:\.\d{{1,2}})?(?:\s?[步번题題])?(?![\d.,]*\d)",
        re.IGNORECASE,
    )
)
LIST_MARKER = re.compile(
    r"^[ \t]{0,9}(?:\d{1,3}[.)]|\(\d{1,2}\)|[-+•](?=[ ]))(?=\s)|^[ \t]{0,9}\d{1,3}[.)](?=$)", re.MULTILINE
)
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=\S)")
FEW_WORDS = re.compile(r"[^\d\n.;!?]{0,60}|[^\d\n.;!?]{0,24}\n\s{0,4}[^\d\n.;!?]{0,24}")
"""Text that may stand between "the answer is" and its number."""

GIVEN_NUMBER = r"(?<![\d.,/])[-+]?\d[\d.,/]{0,40}"
AFTER_ANSWER = re.compile(
    rf"{GIVEN_NUMBER}(?:[ ]?[^\W\d]{{1,12}}){{0,2}}[ ](?:is|are|was|would be|must be)[ ](?:indeed )?(?:the|my|our)[ ]"
    r"(?:\w{1,12}[ ]){0,2}(?:answer|result|solution|total)"
    rf"|{GIVEN_NUMBER}(?:が|은|는|이|是)[ ]?(?:我的)?(?:答え|正解|答案|정답|답)",
    re.IGNORECASE,
)
IN_TOTAL = re.compile(
    rf"{GIVEN_NUMBER}(?:[ ]?[^\W\d]{{1,14}}){{0,2}}[ ]"
    r"(?:in total|in all|altogether|overall|insgesamt|au total|en total|no total|in totale|всего)"
    r"(?=[\s.,;!)]|$)",
    re.IGNORECASE,
)
PRECISION = re.compile(
    r"\bnearest \d{1,9}\b"
    r"|\b\d{1,2}[ -](?:significant|decimal|sig\.?|d\.?p\.?|s\.?f\.?)(?:[ ](?:figures?|places?|digits?|figs?))?(?!\w)",
    re.IGNORECASE,
)
CALCULATOR = re.compile(r"<<[^<>\n]{0,200}>>")
PLUS_MINUS = re.compile(r"\+/-|\bplus or minus ")
MINUS = re.compile(r"(?<![\d] )\b(?:minus|negative)[ ]+(?=[\d.])", re.IGNORECASE)
UNIT_POWER = re.compile(r"(?<=[A-Za-zµΩ°])\^[-+]?\d{1,2}")
CONFIDENCE = re.compile(
    r"\d[\d.]{0,6}[ ]?%?[ ](?:sure|certain|confident|confidence|certainty)\b"
    r"|\b(?:confidence|certainty)(?:[\s_-](?:level|score))?[\"']?(?:\sis|\sof)?[\s:=*\"']{1,5}(?:about\s)?"
    r"[01]?\.?\d[\d.]{0,5}\s?%?(?:\s?/\s?\d{1,3}| out of \d{1,3})?"
    r"|\b(?:konfidenz|sicherheit|confiance|confianza|confiança|confidenza|уверенность|置信度|信心|確信度|신뢰도)"
    r"\s?[:=]\s?\d[\d.]{0,5}\s?%?",
    re.IGNORECASE,
)
POINT_SCRIPT = re.compile(r"[\u0600-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")
CYRILLIC = re.compile(r"[\u0400-\u04ff]{2}")
WORDS = re.compile(r"[^\W\d_]+")
COMMA_WORDS = frozenset(DATA["comma_words"].split())
POINT_WORDS = frozenset(DATA["point_words"].split())

CONTEXT_CHARACTERS = 40
"""Length of the context before a number."""

MAX_WORDS_AFTER_NOT = 2

LANGUAGE_CHARACTERS = 600


def without_confidence(text: str) -> str:
    """Return text without statements of confidence, which have numbers of their own."""
    return CONFIDENCE.sub(" ", text)


def without_noise(text: str) -> str:
    """Return text without numbers of steps and questions, and without the powers of units."""
    text = PRECISION.sub("", text)
    text = MINUS.sub("-", PLUS_MINUS.sub("±", CALCULATOR.sub("", UNIT_POWER.sub("", text))))
    return STEP.sub(lambda found: re.sub(r"\d", "", found[0]), text)


def writes_decimal_comma(text: str, question: str) -> bool | None:
    """Tell whether the language of a text, or else of the question, writes decimals with a comma; None if unknown."""
    for one in (text, question):
        head = one[:LANGUAGE_CHARACTERS]
        if CYRILLIC.search(head):
            return True
        if POINT_SCRIPT.search(head):
            return False
        words = set(WORDS.findall(fold(head)))
        comma, point = len(words & COMMA_WORDS), len(words & POINT_WORDS)
        if comma != point:
            return comma > point
    return None


def is_denied(text: str, number: ParsedNumber) -> bool:
    """Tell whether a text says that a number is not the answer: "not 43", "43ではなく"."""
    before = fold(text[max(0, number.start - CONTEXT_CHARACTERS) : number.start])
    before = re.split(r"[.,;:!?\n\d]", before)[-1]
    if (found := NOT.last(before)) and len(before[found.end() :].split()) <= MAX_WORDS_AFTER_NOT:
        return True
    after = fold(text[number.end : number.end + CONTEXT_CHARACTERS]).lstrip()
    return NOT_AFTER.match(after) is not None


def is_bound(text: str, number: ParsedNumber) -> bool:
    """Tell whether a number is only a bound, as in "more than 40"."""
    return BOUND.search(fold(text[max(0, number.start - CONTEXT_CHARACTERS) : number.start])) is not None


def is_stated(text: str, number: ParsedNumber) -> bool:
    """Tell whether a word such as "is" or "costs" stands before a number."""
    return COPULA.search(fold(text[max(0, number.start - CONTEXT_CHARACTERS) : number.start])) is not None


def is_aside(text: str, number: ParsedNumber) -> bool:
    """Tell whether a number belongs to a remark, as in "out of 50" and "for 7 cakes"."""
    return ASIDE.search(fold(text[max(0, number.start - CONTEXT_CHARACTERS) : number.start])) is not None
