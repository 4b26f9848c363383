"""Read the number that an answer gives, among all the numbers that it mentions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction

from libra.judge.answers.cleaning import clean_answer, clean_option
from libra.judge.answers.marks import CLOSE, OPEN
from libra.judge.answers.next_question import readings_of
from libra.judge.answers.numbers.chains import coordinated
from libra.judge.answers.numbers.context import (
    AFTER_ANSWER,
    ANSWER,
    CHECK_LINE,
    CORRECTION,
    FEW_WORDS,
    IN_TOTAL,
    LIST_MARKER,
    RESULT,
    SENTENCE,
    is_aside,
    is_bound,
    is_denied,
    is_stated,
    without_confidence,
    without_noise,
    writes_decimal_comma,
)
from libra.judge.answers.numbers.parsing import DIGIT, ParsedNumber, numbers_agree, parse_numbers
from libra.judge.answers.numbers.words import with_cjk_digits, with_digits
from libra.judge.answers.wording import fold

Numbers = tuple[ParsedNumber, ...]
Finder = Callable[[str], list[ParsedNumber]]

TAIL_CHARACTERS = 6_000
"""Maximum length of the part that is read at the end of an answer: the number of a long answer is at its end."""

AFTER_CHARACTERS = 200
"""Maximum length of the text that is read after "the answer is"."""

MAX_GAP_CHARACTERS = 32
"""Maximum distance between "the result" and its number."""

MAX_NUMBERS = 40
"""The last numbers of a sentence that are looked at."""

MAX_MARKS = 40
"""The last marks of an answer that are looked at."""

MAX_UNIT_WORDS = 2
MAX_ALONE_CHARACTERS = 40
"""A first line that is only the number, with its unit, is shorter than this."""

IS_SUBJECT, IS_SAID = re.compile(r"\W*"), re.compile(r" (?:is|are|was) |, (?:which|since|because|as|so|not) ")
"""Around a number that is the subject of its sentence."""

OPERANDS = re.compile(r"\s*(?:of|between|from|de|von|aus|di|van)\s[^\d\n]{0,12}\d", re.IGNORECASE)
"""Text after "the sum" if the parts of the sum come next."""

REMARK = re.compile(r"\A\W?\([^()\n]{0,60}\)(?=\W*(?:is|are|was|:|=))")
"""A remark between "the answer" and "is"."""

SO = re.compile(r", so (?!that\b)")
ARROW = re.compile("→|->|=>|[+*×/÷]")
"""Between numbers that lead to the last one."""

CALCULATION = re.compile(r"[ =]*[-+\d., ()]+[ ]?[-+*x×/÷^]")

FIELD_SEPARATOR = re.compile(r"\s+(?:or|and)\s+|\s*;\s*|,\s+")


def final_numbers(text: str, question: str = "") -> Numbers:
    """Return the number that an answer gives; several if it names several, none if it names none.

    What is marked as the answer counts, the last mark before others; then a stated result; then the closing sentence.
    Numbers in words count only if there is no number in digits.
    """
    cleaned = clean_answer(text)
    for part in readings_of(cleaned):
        if found := _final_numbers(part, question):
            return found
    return ()


def final_number(text: str) -> ParsedNumber | None:
    """Return the number that an answer gives; None if it names none or several."""
    found = final_numbers(text)
    return found[0] if len(found) == 1 else None


def wanted_numbers(reference: str) -> Numbers:
    """Return the numbers in a field: one, or several as in "3 or -3" and "±2"; none if it holds something else."""
    numbers: list[ParsedNumber] = []
    for part in FIELD_SEPARATOR.split(clean_option(reference)):
        one = parse_single_number(part)
        if one is None:
            return ()
        numbers += [one, one.negated()] if part.lstrip().startswith("±") else [one]
    return tuple(numbers)


def parse_single_number(text: str) -> ParsedNumber | None:
    """Return the number in a text, which may have a unit; None if there is no number or more than one."""
    plain = without_noise(with_cjk_digits(clean_option(text)))
    found = parse_numbers(plain, decimal_comma=False) or parse_numbers(with_digits(plain), decimal_comma=False)
    return found[0] if len(found) == 1 else None


def same_numbers(given: Numbers, wanted: Numbers, tolerances: Iterable[Fraction]) -> bool:
    """Tell whether every given number is wanted and every wanted one is given."""
    limits = list(tolerances)
    pairs = [[numbers_agree(one, other, limit) for other, limit in zip(wanted, limits, strict=True)] for one in given]
    return bool(given) and all(map(any, pairs)) and all(any(column) for column in zip(*pairs, strict=True))


def _final_numbers(part: str, question: str) -> Numbers:
    text = without_confidence(with_cjk_digits(part[-TAIL_CHARACTERS:]))
    if not DIGIT.search(text):
        text = with_digits(text)
    comma = writes_decimal_comma(text, question)

    def find(piece: str) -> list[ParsedNumber]:
        return parse_numbers(piece, decimal_comma=comma)

    text = without_noise(text)
    found = _after_marks(text, find)
    if found is None:
        found = _first_line(text, find) or _after_results(text, find) or _closing(text, find)
    return found


def _after_marks(text: str, find: Finder) -> Numbers | None:
    """Return the numbers of the last mark of the answer that has one, corrections included; None if none has."""
    for start, end in reversed(_marks(text)[-MAX_MARKS:]):
        structural = text[start : start + 1] == OPEN
        close = text.find(CLOSE, end) if structural else -1
        found = _in_mark(text[end : close if close >= 0 else None], find) if structural else _behind(text, end, find)
        if found is None:
            continue
        rest = text[end:] if not structural else text[close:] if close >= 0 else ""
        return _corrected(rest, find) or found
    before = [find(match[0]) for match in AFTER_ANSWER.finditer(text)]
    return next(((numbers[-1],) for numbers in reversed(before) if numbers), None)


def _marks(text: str) -> list[tuple[int, int]]:
    marks = [match.span() for match in ANSWER.all(fold(text))]
    return sorted([*marks, *((found.start(), found.end()) for found in re.finditer(OPEN, text))])


def _in_mark(content: str, find: Finder) -> Numbers | None:
    content = content[:400]
    numbers = find(content)
    if not numbers:
        return None
    return _closing(content, find) or (numbers[-1],)


def _behind(text: str, end: int, find: Finder) -> Numbers | None:
    """Return the numbers close behind a mark in words; an empty tuple if it only says what the answer is not."""
    rest = REMARK.sub("", text[end : end + AFTER_CHARACTERS])
    numbers = find(rest)
    if not numbers or not FEW_WORDS.fullmatch(rest, 0, numbers[0].start):
        return None
    return _first_asserted(rest, numbers, 0)


def _first_asserted(rest: str, numbers: list[ParsedNumber], place: int) -> Numbers:
    """Return the first number that is not denied, as the result of the calculation that it begins."""
    while place < len(numbers) and is_denied(rest, numbers[place]):
        place += 1
    if place == len(numbers) or is_bound(rest, numbers[place]):
        return ()
    place = _result_place(rest, numbers, place)
    return coordinated(rest, numbers, place)


def _result_place(rest: str, numbers: list[ParsedNumber], place: int) -> int:
    """Return the place of the result of a calculation, as of 7 in "3 + 4 = 7 apples"."""
    result = place
    for after in range(place + 1, len(numbers)):
        between = rest[numbers[after - 1].end : numbers[after].start].strip(" ()")
        if not between or between not in "+-*x×/÷=^≈" or "\n" in rest[numbers[after - 1].end : numbers[after].start]:
            break
        result = after if between in "=≈" else result
    return result


def _corrected(rest: str, find: Finder) -> Numbers | None:
    """Return the numbers after the last correction in the rest of a text, if it states any."""
    cue = CORRECTION.last(fold(rest)) if rest else None
    return (_closing(rest[cue.end() :], find) or None) if cue else None


def _first_line(text: str, find: Finder) -> Numbers | None:
    """Return the number of a first line that is only a number, if an explanation follows."""
    first, _, rest = text.partition("\n")
    if not rest.strip() or len(first) > MAX_ALONE_CHARACTERS:
        return None
    numbers = find(first)
    is_alone = len(numbers) == 1 and IS_SUBJECT.fullmatch(first, 0, numbers[0].start) is not None
    if not is_alone or len(first[numbers[0].end :].split()) > MAX_UNIT_WORDS or not rest.startswith("\n"):
        return None
    return None if CORRECTION.search(fold(rest)) else (numbers[0],)


def _after_results(text: str, find: Finder) -> Numbers | None:
    """Return the numbers close behind the last word for a result, or before "in total"; None if there are none."""
    if total := list(IN_TOTAL.finditer(text)):
        return tuple(find(total[-1][0])[:1]) or None
    for match in reversed(RESULT.all(fold(text))[-MAX_MARKS:]):
        rest = text[match.end() : match.end() + AFTER_CHARACTERS]
        numbers = [] if OPERANDS.match(rest) else find(rest)
        if numbers and numbers[0].start <= MAX_GAP_CHARACTERS and FEW_WORDS.fullmatch(rest, 0, numbers[0].start):
            return _corrected(rest[numbers[0].end :], find) or _first_asserted(rest, numbers, 0)
    return None


def _closing(text: str, find: Finder) -> Numbers:
    """Return the numbers of the last sentence that has any. A list marker counts only if there is no other number."""
    for lines in (LIST_MARKER.sub("", text).splitlines(), text.splitlines()):
        relevant = [line for line in lines if not CHECK_LINE.match(fold(line))] or lines
        for line in reversed(relevant):
            for sentence in reversed(SENTENCE.split(line)):
                if found := find(sentence):
                    return _of_sentence(sentence, found, find)
    return ()


def _of_sentence(sentence: str, numbers: list[ParsedNumber], find: Finder) -> Numbers:
    """Return the number that a sentence states: after a correction, after "=" or "is"; else the last one."""
    cue = CORRECTION.last(fold(sentence)) or SO.search(sentence)
    if cue and (after := find(sentence[cue.end() :])):
        return _of_sentence(sentence[cue.end() :], after, find)
    bare = re.sub(r"(?<=[\w%.]) ?\([^()]{0,200}\)", "", sentence)
    if bare != sentence and (outside := find(bare)):
        return _of_sentence(bare, outside, find)
    place = _place_by_form(sentence, numbers)
    if place is not None:
        return coordinated(sentence, numbers, place)
    place = _stated_place(sentence, numbers[-MAX_NUMBERS:])
    if place is None:
        return ()
    place += max(0, len(numbers) - MAX_NUMBERS)
    return () if is_bound(sentence, numbers[place]) else coordinated(sentence, numbers, place)


def _place_by_form(sentence: str, numbers: list[ParsedNumber]) -> int | None:
    """Return the place of the number after the last "=", or of one that begins the sentence as its subject."""
    is_first = IS_SUBJECT.fullmatch(sentence, 0, numbers[0].start) is not None
    if is_first and IS_SAID.match(sentence, numbers[0].end):
        return 0
    equals = sentence.rfind("=")
    after = next((place for place, number in enumerate(numbers) if number.start > equals >= 0), None)
    if after is not None:
        return 0 if is_first and after == 1 and CALCULATION.match(sentence, equals) else after
    is_list = not is_first or ARROW.search(sentence) or any(is_stated(sentence, one) for one in numbers[1:MAX_NUMBERS])
    return None if is_list or is_bound(sentence, numbers[0]) else 0


def _stated_place(sentence: str, numbers: list[ParsedNumber]) -> int | None:
    """Return the place of the last number after a word such as "is"; else of the last one that is no remark."""
    asserted = [place for place, number in enumerate(numbers) if not is_denied(sentence, number)]
    stated = (place for place in reversed(asserted) if is_stated(sentence, numbers[place]))
    main = (place for place in reversed(asserted) if not is_aside(sentence, numbers[place]))
    return next(stated, next(main, asserted[-1] if asserted else None))
