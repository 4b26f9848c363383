"""The difference of two texts: both can be read from it, whatever they are."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from libra.v1.message_pb2 import Message
from libra.web.transcript.text_diff import ADDED, REMOVED, SAME, compare_conversations, compare_texts

TEXTS = st.text(alphabet="ab \n.é", max_size=60)


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_from_the_parts(before: str, after: str) -> None:
    parts = compare_texts(before, after)
    assert "".join(part.text for part in parts if part.kind != ADDED) == before
    assert "".join(part.text for part in parts if part.kind != REMOVED) == after


def test_added_words_stand_between_kept_ones() -> None:
    parts = compare_texts("How do I bake bread?", "Question: How do I bake bread? Answer:")
    assert [(part.kind, part.text) for part in parts] == [
        (ADDED, "Question: "),
        (SAME, "How do I bake bread"),
        (REMOVED, "?"),
        (ADDED, "? Answer:"),
    ]


def test_texts_with_little_in_common_are_shown_one_after_the_other() -> None:
    parts = compare_texts("How do I bake bread?", "SG93IGRvIEkgYmFrZSBicmVhZD8= is Base64.")
    assert [part.kind for part in parts] == [REMOVED, ADDED]


def test_conversations_are_paired_from_the_last_message() -> None:
    before = [Message(role="user", content="Ask")]
    after = [Message(role="system", content="Obey"), Message(role="user", content="Ask")]
    first, second = compare_conversations(before, after)
    assert (first.role, first.is_changed, first.parts[0].kind) == ("system", True, ADDED)
    assert (second.role, second.is_changed) == ("user", False)
    assert compare_conversations([], []) == []


def test_long_texts_are_compared_in_bounded_time() -> None:
    began = time.process_time()
    for words in (100_000, 1_999):
        compare_texts("a b " * (words // 2), "b a " * (words // 2))
    assert time.process_time() - began < 2
