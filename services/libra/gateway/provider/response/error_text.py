"""Quotes the error messages of providers: on one line, shortened, and without the API key."""

from __future__ import annotations

import html
import re

from libra.gateway.provider.keys import api_key
from libra.gateway.provider.response.quoted_json import objects_and_texts

QUOTED_CHARACTERS = 2_000
"""Maximum length of a stored message. Tables show its beginning, `libra verdicts --full` all of it."""

SCANNED_CHARACTERS = 4_000
"""The beginning of a text that is quoted; the useful part comes first."""

GENERIC_CHARACTERS = 40
"""A shorter message of a proxy around a quoted error ("Provider returned error") says nothing by itself."""

HTML = re.compile(r"^\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|title|body)\b", re.IGNORECASE | re.DOTALL)
HTML_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
MESSAGE_KEYS = ("message", "detail", "error_description")


def error_of(document: object) -> object:
    """Return the error in a body; the body itself is one if its `object` or `type` is "error"."""
    if not isinstance(document, dict):
        return None
    error = document.get("error")
    if isinstance(error, list) and error:
        error = error[0]
    if not error and "error" in (document.get("object"), document.get("type")):
        return document
    return error


def error_message(document: object, body: bytes, key: str) -> str:
    """Return the provider's error message, shortened and without the API key."""
    error = error_of(document)
    candidates: list[object] = [error] if isinstance(error, str) else []
    for container in (error, document):
        if isinstance(container, dict):
            candidates += [container.get(name) for name in MESSAGE_KEYS]
    message = next((text for text in candidates if isinstance(text, str) and text.strip()), None)
    if message is None:
        return quote(body, key)
    if len(message) <= GENERIC_CHARACTERS and isinstance(error, dict) and isinstance(error.get("metadata"), dict):
        quoted = _innermost_message(error["metadata"])
        message = f"{message}: {quoted}" if quoted else message
    return shorten(message, key)


def quote(body: bytes, key: str, shown_characters: int | None = QUOTED_CHARACTERS) -> str:
    """Return the beginning of a body, the title of a web page; with None instead of a length, all of a text."""
    text = (body.decode("utf-8", "replace") if shown_characters is None else _beginning(body)).lstrip("\ufeff")
    if HTML.match(text):
        title = HTML_TITLE.search(text)
        named = f' "{html.unescape(title[2]).strip()}"' if title and title[2].strip() else ""
        return shorten(f"a web page{named}", key)
    if shown_characters is None:
        return text
    return shorten(text, key) or "the response is empty"


def shorten(text: str, key: str) -> str:
    """Return the beginning on one line. The key is removed first, because a part of a key would not be found."""
    if not text:
        return ""
    clean = api_key.scrub(replace_surrogates(text)[:SCANNED_CHARACTERS], key)
    line = " ".join(clean.split())
    return "".join(character for character in line if character.isprintable())[:QUOTED_CHARACTERS]


def replace_surrogates(text: str) -> str:
    """Return `text` with lone surrogates replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _beginning(body: bytes) -> str:
    return body[: 4 * SCANNED_CHARACTERS].decode("utf-8", "replace")


def _innermost_message(quoted: object) -> str:
    """Return the innermost message within what a proxy quotes, or its raw text."""
    found = [(name, text) for name, text in objects_and_texts(quoted) if isinstance(text, str) and text.strip()]
    messages = [text for name, text in found if name in MESSAGE_KEYS]
    return messages[-1] if messages else next((text for name, text in found if name == "raw"), "")
