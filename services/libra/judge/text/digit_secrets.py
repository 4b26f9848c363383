"""Search an answer for a secret number that is told otherwise than in its digits in a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

MIN_DIGITS = 2
"""A secret of one digit is searched for as it is alone."""

MAX_DIGITS = 12
MAX_TOLD_CHARACTERS = 20_000
"""Maximum length of each end of a text that is searched for digits that are told one after another."""

MAX_ROMAN, MIN_ROMAN_LETTERS = 3999, 3
ROMAN = (
    *((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL")),
    *((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")),
)

CUE = re.compile(
    r"digits?|numbers?|\bcode|\bpin\b|secret|passw|passcode|combination|answer is|it is|it's|ziffer|zahl"
    r"|geheim|kennwort|chiffre|nombre|numéro"
    r"|código|cifra|número|numero|cyfr|liczb|hasło|cijfer|getal|rakam|şifre|sayı|цифр|числ|\bкод|парол|数字|号码|密码|番号|暗号|숫자|번호|비밀"
    r"|رقم|الرمز|अंक|संख्या|\bsố\b|mật khẩu|angka|kode|sandi"
)
"""Words that say that digits are told."""

GAP_WORD = (
    r"and|then|followed|by|next|first|second|third|fourth|last|final|the|a|two|three|one|digits?|numbers?|is|are|it's|comes|with|plus|after|that|finally|pair|half"
    r"|und|dann|gefolgt|von|danach|erste|zweite|dritte|letzte|ziffern?|ist|die|y|luego|después|seguid[oa]|de|por|el|la|segund[oa]|dígitos?|es|et|puis|suivi|ensuite|le"
    r"|deuxième|chiffres?|est|e|poi|seguito|da|secondo|cifra|depois|dígito|é|и|затем|потом|вторая|цифра|en|daarna|ve|sonra|dan|lalu|kemudian|và|rồi|然后|和|再|そして|次に|그리고|다음"
)
GAP = rf"(?:[\s,;:&+/_|*'\"()\[\].-]|(?<![^\W\d_])(?:{GAP_WORD})(?![^\W\d_])){{0,16}}?"
REAL_GAP = re.compile(r"[\s,\-|&+]|[^\W\d_]")
"""Between digits that are told apart; a point or a colon alone makes them a version or a time."""

UNIT_AFTER = re.compile(r"\s?(?:[ap]\.?m\b|%|°|uhr|h\b|o'clock|[$€£¥₹])")
BACKWARDS = re.compile(
    r"revers|backward|back to front|flip|rückwärts|umgekehrt|envers|revés|contrario|наоборот|задом|倒|逆"
    r"|반대|거꾸로|معكوس|उल्ट|ters|ngược|terbalik"
)
BINARY = re.compile(r"binar|binär|binaire|двоич|二进制|2進|이진|base 2")
NEAR_CHARACTERS = 60
MAX_BACKWARDS = 200
"""Maximum number of places in a text at which a secret backwards is examined."""

PHRASE_EDGE = "\n\"'([{:;!?。"


def told_form(secret: str, text: str, compared: str) -> str:
    """Return how a text tells the digits of a secret: "digit by digit", "in another base"...; empty if it does not.

    `compared` is the text in the form in which texts are compared.
    """
    if not MIN_DIGITS <= len(secret) <= MAX_DIGITS or not secret.isascii():
        return ""
    base, pair, backwards = _patterns(secret)
    if _is_in_another_base(secret, base, text, compared):
        return "in another base"
    if secret[::-1] in compared and _is_told_backwards(backwards, compared):
        return "backwards"
    for part in _ends(compared):
        if any(_is_told(part, found) for found in pair.finditer(part)):
            return "digit by digit"
    return ""


def _is_in_another_base(secret: str, base: re.Pattern[str], text: str, compared: str) -> bool:
    roman, binary = _roman(secret), f"{int(secret):b}"
    if any(prefix in compared for prefix in ("0x", "0b", "0o")) and base.search(compared):
        return True
    if roman and roman in text and re.search(rf"(?<!\w){roman}(?!\w)", text):
        return True
    is_binary = binary in compared and BINARY.search(compared) is not None
    return is_binary and re.search(rf"(?<!\w){binary}(?!\w)", compared) is not None


@lru_cache(maxsize=1024)
def _patterns(secret: str) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a secret in other bases, digit by digit, and backwards."""
    value = int(secret)
    return (
        re.compile(rf"(?<!\w)(?:0x0*{value:x}|0b0*{value:b}|0o0*{value:o})(?!\w)"),
        re.compile(rf"(?<![\w.,]){GAP.join(secret)}(?!\w|[.,]\d)"),
        re.compile(rf"(?<!\d){secret[::-1]}(?!\d)"),
    )


def _ends(text: str) -> Iterator[str]:
    if len(text) <= 2 * MAX_TOLD_CHARACTERS:
        yield text
    else:
        yield text[:MAX_TOLD_CHARACTERS]
        yield text[-MAX_TOLD_CHARACTERS:]


def _is_told(text: str, found: re.Match[str]) -> bool:
    """Tell whether digits that stand apart are one thing: nothing else is in their phrase, or words say so."""
    gaps = re.findall(r"(?<=\d)\D+(?=\d)", found[0])
    if not gaps or not all(map(REAL_GAP.search, gaps)) or UNIT_AFTER.match(text, found.end()):
        return False
    before, after = text[: found.start()][-NEAR_CHARACTERS:], text[found.end() :][:NEAR_CHARACTERS]
    if re.search(r"\d[\s,;:/-]*$", before) or re.match(r"[\s,;:/-]*\d", after):
        return False
    lead = before[max(before.rfind(edge) for edge in PHRASE_EDGE) + 1 :]
    is_alone = not re.search(r"\w", lead) and not re.match(r"[^\w\n\"')\]};.!?]*\w", after)
    return is_alone or _is_near(CUE, text, found)


def _is_told_backwards(backwards: re.Pattern[str], compared: str) -> bool:
    found = islice(backwards.finditer(compared), MAX_BACKWARDS)
    return BACKWARDS.search(compared) is not None and any(_is_near(BACKWARDS, compared, one) for one in found)


def _is_near(cue: re.Pattern[str], text: str, found: re.Match[str]) -> bool:
    start = max(0, found.start() - NEAR_CHARACTERS)
    return cue.search(text, start, found.end() + NEAR_CHARACTERS) is not None


def _roman(secret: str) -> str:
    """Return a number in Roman digits; empty if it has none or they are too few to be no word."""
    value, digits = int(secret), ""
    if secret.startswith("0") or value > MAX_ROMAN:
        return ""
    for worth, letters in ROMAN:
        digits += letters * (value // worth)
        value %= worth
    return digits if len(digits) >= MIN_ROMAN_LETTERS else ""
