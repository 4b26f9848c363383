"""Removes control characters from text before a terminal shows it."""

from __future__ import annotations

CONTROL_PICTURES = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
CONTROL_PICTURES |= {127: "\N{SYMBOL FOR DELETE}"}
CONTROL_PICTURES |= dict.fromkeys(range(0x80, 0xA0), "\N{REPLACEMENT CHARACTER}")
"""Shows a control character as its picture, so that a model's answer cannot send commands to the terminal."""

DIRECTION_NUMBERS = {code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""Shows a character that changes the direction of text as its number, so that a line reads in its stored order."""

BIDI_CONTROLS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""The characters with the Unicode property Bidi_Control. JSON is for programs, so that the marks of single letters,
which texts in Arabic and Hebrew need and tables keep, are escaped as well."""

JSON_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), *BIDI_CONTROLS)}
"""By which JSON writes the controls that its encoder leaves as they are: DEL, C1 and those of the direction."""

REPLACEMENTS = CONTROL_PICTURES | DIRECTION_NUMBERS


def sanitize(text: str) -> str:
    """Return the text with control and direction characters replaced; line ends and tabs stay."""
    return text.replace("\r\n", "\n").translate(REPLACEMENTS)


def escape_json(text: str) -> str:
    r"""Return JSON with DEL, C1 and direction characters as \u escapes; it stands for the same value.

    These characters occur in JSON only inside strings, where the escape is valid.
    """
    return text.translate(JSON_ESCAPES)
