"""Write the number words of a text in digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

from text_to_num import alpha2digit

from libra.judge.answers.wording import fold, load_words
from libra.judge.text.lazy_pattern import LazyPattern

LIBRARY_LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl")
"""The languages of text2num that are tried, in this order."""

COMPOUND_STARTS = {
    "de": "null|ein|zw|drei|vier|fünf|sech|sieb|acht|neun|zehn|elf|hundert|tausend|mill|minus",
    "it": "zero|un|du|tre|quatt|quar|quind|cinqu|sei|sess|sett|sed|ott|nov|diec|dici|dod|vent|cent|mil|meno",
    "nl": "nul|een|één|twee|drie|vier|vijf|zes|zeve|acht|nege|tien|elf|twaa|twin|dert|veer|tach|hond|duiz|mil|min",
}
"""The starts of numbers in languages that write them as one word: text2num takes ten times as long for these."""

STARTS = {language: re.compile(rf"(?<!\w)(?:{starts})") for language, starts in COMPOUND_STARTS.items()}

MAX_CHARACTERS = 2_000
"""Maximum length of a text that is searched for number words."""

WORDS = {
    language: {
        word.replace("\\ ", " "): value for value, names in words.items() for word in re.split(r"(?<!\\)\s+", names)
    }
    for language, words in load_words("numbers.yaml")["words"].items()
}
JOINING = r"[\s-]{0,2}(?:(?:và|linh|lẻ|и|i|dan)\s)?"


@cache
def _row_pattern(language: str) -> re.Pattern[str]:
    """Return the pattern of a language's number words in a row."""
    return re.compile(rf"(?<!\w)(?:(?:و|ו)?(?:{_longest_first(WORDS[language])})(?!\w){JOINING}){{1,24}}")


@cache
def _word_pattern(language: str) -> re.Pattern[str]:
    """Return the pattern of one number word of a language."""
    return re.compile(_longest_first(WORDS[language]))


def _longest_first(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


IN_ASCII = LazyPattern(
    lambda: re.compile(
        rf"(?<!\w)(?:{_longest_first(word for one in WORDS.values() for word in one if word.isascii())})(?!\w)"
    )
)
"""A number word in ASCII of a language that text2num does not read."""

CJK_DIGITS = {
    **{digit: value for value, digit in enumerate("〇一二三四五六七八九")},
    "零": 0,
    "两": 2,
    "兩": 2,
    "壹": 1,
    "贰": 2,
    "叁": 3,
    "肆": 4,
    "伍": 5,
    "陆": 6,
    "柒": 7,
    "捌": 8,
    "玖": 9,
}
CJK_UNITS = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
CJK_SCALES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12, "만": 10**4, "억": 10**8, "천": 1000}
CJK_NUMBER = re.compile(rf"[负負]?[{''.join(CJK_DIGITS)}{''.join(CJK_UNITS)}{''.join(CJK_SCALES)}]{{1,24}}")
MIXED_CJK = re.compile(r"(?<![\d.,])\d{1,8}(?:\.\d{1,6})?\s?[千万萬亿億兆만억천](?:\s?\d{1,4}\s?[千万萬百만천]?){0,3}")
MIXED_PART = re.compile(r"(\d+(?:\.\d+)?)\s?([百千万萬亿億兆만억천]?)")

FRACTION_WORDS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "thirds": 3,
    "quarter": 4,
    "quarters": 4,
    "fourth": 4,
    "fourths": 4,
    "fifth": 5,
    "fifths": 5,
    "sixth": 6,
    "sixths": 6,
    "eighth": 8,
    "eighths": 8,
    "tenth": 10,
    "tenths": 10,
}
A_HALF = re.compile(r"(?<!\d )\b(?:(?:an?|one|1)[ -])?(half)\b|\b(?:an?|one|1)[ -](third|quarter)\b")
SMALL_NUMBERS = {
    word: value
    for value, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    )
}
HALVES = re.compile(
    r"(\d+) and 1 (half|third|quarter)\b(?: (1000(?:000){0,3})\b)?"
    r"|(\d+) (halves|half|thirds?|quarters?|fourths?|fifths?|sixths?|eighths?|tenths?)\b"
)
ENGLISH = (
    (re.compile(r"\b(?:a |one )?dozen\b"), "12"),
    (re.compile(r"\ba (hundred|thousand|million|billion)\b"), r"one \1"),
    (re.compile(r"\bno one\b|\bone another\b|\bthis one\b"), "_"),
)
PARTS = re.compile(
    rf"\b({'|'.join(SMALL_NUMBERS)}|\d+)[ -]({'|'.join(sorted(FRACTION_WORDS, key=len, reverse=True))})\b"
)
KOREAN = str.maketrans("일이삼사오육칠팔구영공십백천만억", "一二三四五六七八九零零十百千万亿")
KOREAN_NUMBER = re.compile(r"(?<![가-힣])[일이삼사오육칠팔구영십백천만억]{2,16}(?=[^가-힣]|\Z|입니다|이다|예요|이에요)")
KOREAN_TENS = dict(
    zip(["열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"], range(10, 100, 10), strict=True)
)
KOREAN_UNITS = dict(zip(["하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉"], range(1, 10), strict=True))
KOREAN_COUNTED = {"한": 1, "두": 2, "세": 3, "네": 4, "스무": 20}
"""Forms that stand before the word that counts things alone."""

KOREAN_COUNTER = "개|명|마리|권|장|대|살|시간|번|송이|그루|병|잔|자루|켤레|척|채"
NATIVE_KOREAN = re.compile(
    rf"(?<![가-힣])(?:(?P<tens>{'|'.join(KOREAN_TENS)})?(?P<units>{'|'.join([*KOREAN_UNITS, *KOREAN_COUNTED])})"
    rf"(?=\s?(?:{KOREAN_COUNTER}))"
    rf"|(?P<tens_alone>{'|'.join(KOREAN_TENS)})?(?P<units_alone>{'|'.join(KOREAN_UNITS)})?(?<=[가-힣])"
    rf"(?=[^가-힣]|\Z|입니다|이다|예요|이에요|\s?(?:{KOREAN_COUNTER})))"
)
"""Korean numbers of things, alone or before the word that counts them."""

ORDINAL_BEFORE_WORD = re.compile(r"\b\d+(?:st|nd|rd|th|er|re|eme|ieme|te|ter|º|ª|°)\b(?=,\s|\s+[^\W\d]+\s+\w)")
"""An ordinal that counts the steps of an answer or belongs to a noun, as in "First, I add both", is no result."""

MINUS = re.compile(r"\b(?:minus|negative|moins|menos|meno|min|минус|мінус|eksi|âm)\s+(?=\d)")


def with_cjk_digits(text: str) -> str:
    """Return text with 3万5千 as 35000."""
    return text if text.isascii() else MIXED_CJK.sub(_mixed_value, text)


def with_digits(text: str) -> str:
    """Return a text that has no digits with its number words in digits.

    The language is the one in which the most letters are part of numbers.
    """
    text = unicodedata.normalize("NFC", fold(text[-MAX_CHARACTERS:]))
    if not text.isascii():
        text = NATIVE_KOREAN.sub(_native_korean_value, text)
        text = KOREAN_NUMBER.sub(lambda found: found[0].translate(KOREAN), text)
        text = CJK_NUMBER.sub(_cjk_value, text)
    text = PARTS.sub(_share, text)
    for pattern, replacement in ENGLISH:
        text = pattern.sub(replacement, text)
    best = ORDINAL_BEFORE_WORD.sub(" ", min(_candidates(text), key=lambda one: sum(map(str.isalpha, one))))
    return MINUS.sub("-", HALVES.sub(_with_fraction, A_HALF.sub(lambda found: f"1 {found[1] or found[2]}", best)))


def _candidates(text: str) -> Iterator[str]:
    """Yield the text with the number words of each language in digits; the text itself first."""
    yield text
    for language in LIBRARY_LANGUAGES:
        starts = STARTS.get(language)
        if starts is None or starts.search(text):
            yield alpha2digit(text, language, threshold=0)
    if not text.isascii() or IN_ASCII.search(text):
        yield from (_in_language(text, language) for language in WORDS)


def _in_language(text: str, language: str) -> str:
    """Return text with digits if several number words stand in a row or alone: some of them are common words."""

    def value(found: re.Match[str]) -> str:
        is_number = len(found[0].split()) > 1 or found[0].strip() == text.strip(" .!")
        return _additive_value(found[0], language) if is_number or not text.isascii() else found[0]

    return _row_pattern(language).sub(value, text)


def _native_korean_value(found: re.Match[str]) -> str:
    values = KOREAN_TENS | KOREAN_UNITS | KOREAN_COUNTED
    return str(sum(values[word] for word in found.groups() if word))


def _share(found: re.Match[str]) -> str:
    above = SMALL_NUMBERS.get(found[1])
    return f"{found[1] if above is None else above}/{FRACTION_WORDS[found[2]]}"


def _with_fraction(found: re.Match[str]) -> str:
    if found[1]:
        whole, part, scale = int(found[1]), FRACTION_WORDS[found[2]], int(found[3] or 1)
        return f"{(whole * part + 1) * scale}/{part}"
    return f"{found[4]}/{FRACTION_WORDS[found[5]]}"


def _additive_value(text: str, language: str) -> str:
    """Return the value of number words: a larger word multiplies the smaller ones before it, others are added."""
    words = WORDS[language]
    total = group = 0
    for word in _word_pattern(language).findall(text):
        value = words[word]
        if value >= 1000:  # noqa: PLR2004
            total += (group or 1) * value
            group = 0
        elif value in (10, 100) and group % value > 0 and group % value < 10:  # noqa: PLR2004
            group += (group % value) * (value - 1)
        else:
            group += value
    return f" {total + group} "


def _cjk_value(found: re.Match[str]) -> str:
    text = found[0].lstrip("负負")
    sign = "-" if len(text) < len(found[0]) else ""
    if all(one in CJK_DIGITS for one in text):
        return sign + "".join(str(CJK_DIGITS[one]) for one in text)
    total = group = digit = 0
    for one in text:
        if one in CJK_DIGITS:
            digit = CJK_DIGITS[one]
        elif one in CJK_UNITS:
            group += (digit or 1) * CJK_UNITS[one]
            digit = 0
        else:
            total = (
                (total + group + digit or 1) * CJK_SCALES[one]
                if CJK_SCALES[one] > total
                else total + (group + digit) * CJK_SCALES[one]
            )
            group = digit = 0
    return f"{sign}{total + group + digit}"


def _mixed_value(found: re.Match[str]) -> str:
    factors = CJK_UNITS | CJK_SCALES
    total = sum(float(digits) * factors.get(unit, 1) for digits, unit in MIXED_PART.findall(found[0]))
    return f"{total:.6f}".rstrip("0").rstrip(".")
