"""Find the JSON that a model was asked for in what it wrote around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

MOST_OBJECTS = 50
OPENING = re.compile(r"\{")


def objects(text: str) -> Iterator[object]:
    """Yield the JSON objects that a text holds side by side, at most 50."""
    decoder, at = json.JSONDecoder(), 0
    for _ in range(MOST_OBJECTS):
        opening = OPENING.search(text, at)
        if opening is None:
            return
        try:
            found, at = decoder.raw_decode(text, opening.start())
        except (json.JSONDecodeError, RecursionError):
            at = opening.end()
        else:
            yield found
