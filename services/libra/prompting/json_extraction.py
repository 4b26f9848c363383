"""Extract JSON objects from a model's reply, with any text around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

MAX_OBJECTS = 50
OPENING_BRACE = re.compile(r"\{")


def extract_json_objects(text: str) -> Iterator[object]:
    """Yield the outermost JSON objects of a text, at most 50."""
    decoder, position = json.JSONDecoder(), 0
    for _ in range(MAX_OBJECTS):
        opening = OPENING_BRACE.search(text, position)
        if opening is None:
            return
        try:
            found, position = decoder.raw_decode(text, opening.start())
        except (json.JSONDecodeError, RecursionError):
            position = opening.end()
        else:
            yield found
