from __future__ import annotations

from libra.cli.render.sanitize import sanitize


def test_an_answer_cannot_send_commands_to_the_terminal() -> None:
    assert sanitize("a\x1b[31mred\x07\x7f\x9b\tb\r\nc\x00") == "a␛[31mred␇␡\ufffd\tb\nc␀"


def test_characters_that_change_the_direction_of_text_are_shown_as_numbers() -> None:
    assert sanitize("\u202etpmorp a\u202c \u2067x\u2069") == "[U+202E]tpmorp a[U+202C] [U+2067]x[U+2069]"
    assert sanitize("שלום\u200f!") == "שלום\u200f!"
