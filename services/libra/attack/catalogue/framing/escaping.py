"""Escape a prompt for a document or a program, so that a parser returns it unchanged."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape


def to_json_string(text: str) -> str:
    """Return the text as a JSON string (RFC 8259), which is also valid in Python, JavaScript and YAML."""
    return json.dumps(text, ensure_ascii=False)


def to_xml_text(text: str) -> str:
    """Return the text escaped for the content of an XML element."""
    return escape(text)


def to_csv_field(text: str) -> str:
    """Return the text as a quoted CSV field (RFC 4180)."""
    return '"' + text.replace('"', '""') + '"'


def to_sql_string(text: str) -> str:
    """Return the text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def to_shell_word(text: str) -> str:
    """Return the text as one word of a shell command."""
    return "'" + text.replace("'", "'\\''") + "'"


def to_markdown_cell(text: str) -> str:
    """Return the text as a cell of a Markdown table, on one line."""
    return text.replace("|", "\\|").replace("\n", "<br>")


def prefix_lines(prefix: str, text: str) -> str:
    """Return the text with a prefix before each of its lines."""
    return "\n".join(prefix + line for line in text.split("\n"))


def to_mail_quotation(text: str) -> str:
    """Return the text as a quotation in a mail."""
    return prefix_lines("> ", text)


def to_added_lines(text: str) -> str:
    """Return the text as added lines of a patch."""
    return prefix_lines("+", text)


def indent_lines(text: str) -> str:
    """Return the text indented by four spaces."""
    return prefix_lines("    ", text)
