"""Cut questions off that a model invents after its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from libra.judge.answers.wording import load_words, phrases

WORDS = "|".join(phrases(load_words("words.yaml")["next_question"]))
NEXT_QUESTION = re.compile(
    rf"^[ \t*#>-]{{0,6}}(?:(?:next |another |new )?(?:{WORDS})[ \t]{{0,3}}#?\d{{0,3}}\*{{0,2}}[ \t]{{0,2}}[:.]"
    r"|### (?:instruction|input|user))"
    r"|<\|(?:im_start|im_end|user|end|endoftext|eot_id|start_header_id)\|>|</s>|\[/?INST\]",
    re.MULTILINE | re.IGNORECASE,
)


def readings_of(text: str) -> Iterator[str]:
    """Yield what stands before an invented next question, if anything does, and then the whole text."""
    found = NEXT_QUESTION.search(text)
    if found and text[: found.start()].strip():
        yield text[: found.start()].strip()
    yield text
