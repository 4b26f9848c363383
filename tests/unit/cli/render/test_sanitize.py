from __future__ import annotations

import json
import unicodedata

import pytest

from libra.cli.render.output import print_json
from libra.cli.render.sanitize import escape_json, sanitize
from libra.v1.message_pb2 import Message
from libra.v1.verdict_pb2 import Verdict

BIDI_CLASSES = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def test_an_answer_cannot_send_commands_to_the_terminal() -> None:
    assert sanitize("a\x1b[31mred\x07\x7f\x9b\tb\r\nc\x00") == "a␛[31mred␇␡\ufffd\tb\nc␀"


def test_characters_that_change_the_direction_of_text_are_shown_as_numbers() -> None:
    assert sanitize("\u202etpmorp a\u202c \u2067x\u2069") == "[U+202E]tpmorp a[U+202C] [U+2067]x[U+2069]"
    assert sanitize("שלום\u200f!") == "שלום\u200f!"


@pytest.mark.parametrize(
    "code", [*range(0x80), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, 0x202A, 0x202E, 0x2066, 0x2069]
)
def test_json_is_printed_without_control_characters_and_keeps_its_value(
    code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"a{chr(code)}b"
    print_json(Message(role="user", content=text))
    printed = capsys.readouterr().out
    assert json.loads(printed)["content"] == text
    assert not any(is_control(character) for character in printed.replace("\n", ""))


def test_the_keys_of_a_map_are_escaped_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(Verdict(fields={"k\x9b\u202e": "v\x90\u2067"}))
    printed = capsys.readouterr().out
    assert json.loads(printed)["fields"] == {"k\x9b\u202e": "v\x90\u2067"}
    assert "k\\u009b\\u202e" in printed


@pytest.mark.parametrize("text", ["ключ", "שלום", "日本語", "😀", "\xa0é", "a\u200db"])
def test_other_characters_stay_readable_in_json(text: str) -> None:
    encoded = json.dumps(text, ensure_ascii=False)
    assert escape_json(encoded) == encoded


def is_control(character: str) -> bool:
    """Return whether a character is a control of C0 or C1, DEL, or of the direction of text."""
    return (
        unicodedata.category(character) == "Cc"
        or unicodedata.bidirectional(character) in BIDI_CLASSES
        or (character in "\u061c\u200e\u200f")
    )
