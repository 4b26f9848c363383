"""The quick tests before slow searches change no result: each text that a pattern finds something in passes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra.judge.answers import marks
from libra.judge.answers.wrapping import ANSWER_LINE, WRAPPING_STARTS, WRAPPINGS, may_have_mark
from libra.judge.refusal_detection import patterns_direct, patterns_indirect
from libra.judge.refusal_detection.personas import VOICE_LABEL, may_have_label
from libra.judge.refusal_detection.quoted_text import DIALOGUE_LINE, QUOTED
from libra.judge.refusal_detection.regex import HintedPattern
from libra.judge.refusal_detection.retraction import STEPS, find_turn, has_numbered_steps

HINTED = {
    name: found
    for module in (patterns_direct, patterns_indirect)
    for name, found in module.PATTERNS.items()
    if isinstance(found, HintedPattern)
}


def is_found(pattern: HintedPattern, text: str) -> bool:
    """Tell whether a pattern with hints finds something."""
    return pattern.search(text) is not None


SIGNS: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    **{
        f"mark {number}": (pattern, may_have_mark)
        for number, pattern in enumerate(
            [marks.ANSWER_TAG, marks.ANSWER_FIELD, marks.HASHES, marks.BOX, ANSWER_LINE], start=1
        )
    },
    **{
        f"wrapping {number}": (pattern, lambda text: text[0] in WRAPPING_STARTS)
        for number, pattern in enumerate(WRAPPINGS, start=1)
    },
    "label of a voice": (VOICE_LABEL, may_have_label),
    "quotation": (QUOTED, lambda text: '"' in text or "“" in text or "«" in text),
    "line of a dialogue": (DIALOGUE_LINE, lambda text: ":" in text),
    "steps": (STEPS, has_numbered_steps),
    **{name: (found.pattern.compiled, partial(is_found, found)) for name, found in HINTED.items()},
}
ANY_TURN = re.compile(
    r"[,.;:!?-] ?(?:but|however|still|purely)\b|^(?:while|although|though|even though|whilst) [^.!?]{5,160}?, "
)
"""A turn of either kind as one pattern."""

TURN_PIECES = st.sampled_from(["while", "although", " you may", ", ", "but", " still", ". ", "purely ", "a word "])


@pytest.mark.parametrize("name", SIGNS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_text_that_a_pattern_matches_has_the_signs_of_it(name: str, data: st.DataObject) -> None:
    pattern, has_signs = SIGNS[name]
    is_whole = name.startswith("wrapping")
    text = data.draw(
        st.from_regex(pattern, fullmatch=is_whole).filter(pattern.fullmatch if is_whole else pattern.search)
    )
    assert has_signs(text)


@given(pieces=st.lists(TURN_PIECES, max_size=8))
def test_a_turn_is_found_where_one_pattern_of_both_kinds_finds_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    found, expected = find_turn(text), ANY_TURN.search(text)
    assert (found and found.span()) == (expected and expected.span())
