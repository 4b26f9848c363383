"""Walks through the JSON objects of a response, also those that a proxy quotes in a text."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from typing import Any

from libra.gateway.provider.response.dialects import ECHOED

MAX_NODES = 4_000
MAX_DEPTH = 16
MAX_QUOTED_CHARACTERS = 64 * 1024
"""A longer text is not searched for quoted JSON."""


def objects_and_texts(document: object) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Yield every object and text within a JSON value, outer before inner, each with its key.

    JSON and Python literals that a text quotes are parsed. What an error repeats of the request is left out.
    """
    waiting: list[tuple[str, object, int]] = [("", document, 0)]
    for _ in range(MAX_NODES):
        if not waiting:
            return
        name, node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            continue
        if isinstance(node, dict):
            yield name, node
            inner = [(key, value, depth + 1) for key, value in node.items() if key not in ECHOED or depth == 0]
            waiting.extend(reversed(inner))
        elif isinstance(node, list):
            waiting.extend((name, each, depth + 1) for each in reversed(node[:MAX_NODES]))
        elif isinstance(node, str):
            yield name, node
            if "{" in node:
                waiting.append((name, quoted_value(node), depth + 1))


def quoted_value(text: str) -> object:
    """Return the JSON object or Python dictionary that a text quotes; None if there is none."""
    text = text[:MAX_QUOTED_CHARACTERS]
    start, end = text.find("{"), text.rfind("}")
    if start < 0:
        return None
    try:
        return json.JSONDecoder().raw_decode(text, start)[0]
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text[start : end + 1])
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
