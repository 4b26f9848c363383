"""How a prompt is written as a part of a document or a program, so that it can be read out of it again."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape


def to_json_string(text: str) -> str:
    """Return the text as a string of JSON (RFC 8259), which Python, JavaScript and YAML read alike."""
    return json.dumps(text, ensure_ascii=False)


def to_xml_text(text: str) -> str:
    """Return the text as it stands between two tags of XML."""
    return escape(text)


def to_csv_field(text: str) -> str:
    """Return the text as a quoted field of CSV (RFC 4180)."""
    return '"' + text.replace('"', '""') + '"'


def to_sql_string(text: str) -> str:
    """Return the text as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def to_shell_word(text: str) -> str:
    """Return the text as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def to_markdown_cell(text: str) -> str:
    """Return the text as a cell of a Markdown table, which is one line."""
    return text.replace("|", "\\|").replace("\n", "<br>")


def prefix_lines(mark: str, text: str) -> str:
    """Return the text with a mark before each of its lines."""
    return "\n".join(mark + line for line in text.split("\n"))


def to_mail_quotation(text: str) -> str:
    """Return the text as a mail quotes it."""
    return prefix_lines("> ", text)


def to_added_lines(text: str) -> str:
    """Return the text as lines that a patch adds."""
    return prefix_lines("+", text)


def indent_lines(text: str) -> str:
    """Return the text four spaces further in."""
    return prefix_lines("    ", text)
