"""Adjustments in words."""

from __future__ import annotations

import pytest

from libra.core.adjustment_text import adjusted_text, describe, join_adjusted_texts
from libra.v1.completion_pb2 import Adjustment


@pytest.mark.parametrize(
    ("parameter", "replacement", "words", "text"),
    [
        ("temperature", "", "no", 'temperature: not sent, because the endpoint says "no"'),
        ("max_tokens", "max_completion_tokens", "", "max_tokens: sent as max_completion_tokens"),
        ("json_schema", "json_object", "", "json_schema: not sent; any JSON object is asked for"),
        ("system", "merged", "", "system: merged into the user turn"),
        ("system", "system", "", 'system: sent with the role "system"'),
        ("alternation", "merged", "", "alternation: turns of the same role in a row are merged"),
        ("top_p", "temperature", "", "top_p: not sent together with temperature"),
    ],
)
def test_an_adjustment_is_described(parameter: str, replacement: str, words: str, text: str) -> None:
    assert describe(Adjustment(parameter=parameter, replacement=replacement, words=words)) == text


def test_the_adjustments_of_a_request_are_one_text() -> None:
    adjustments = [Adjustment(parameter="max_tokens", replacement="n_predict"), Adjustment(parameter="seed")]
    assert adjusted_text(adjustments) == "max_tokens=n_predict,seed"
    assert adjusted_text([]) == ""
    assert join_adjusted_texts(["seed,temperature", "", "seed"]) == "seed,temperature"
