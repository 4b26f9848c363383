from __future__ import annotations

import itertools

import pytest

from libra.arena.battles.answer_screen import AnswerScreen
from libra.arena.battles.identity_mask import MASK, IdentityMask, identifying_words
from libra.v1.arena_pb2 import ArenaEntry
from libra.v1.completion_pb2 import Completion
from libra.v1.model_pb2 import Model

OWN, OTHERS = {"smollm2-135m", "SmolLM", "Hugging Face"}, {"gpt-4o", "c++"}
MASKING = IdentityMask.create(OWN, OTHERS)


@pytest.mark.parametrize(
    ("text", "masked", "found"),
    [
        ("I am SmolLM2 135M.", f"I am {MASK}.", True),
        ("made by HuggingFace", f"made by {MASK}", True),
        ("not GPT 4o", f"not {MASK}", False),
        ("GPT-4 and smollmx stay", "GPT-4 and smollmx stay", False),
        ("hugging a face", "hugging a face", False),
        ("", "", False),
    ],
)
def test_words_are_masked_in_any_case_and_with_other_separators(text: str, masked: str, *, found: bool) -> None:
    assert MASKING.mask(text) == (masked, found)


def test_what_is_shown_of_a_beginning_is_the_beginning_of_what_is_shown_of_the_whole() -> None:
    text = "I am SmolLM2 135M by Hugging Face, not GPT4o; smollm. hugging"
    shown = [MASKING.mask_beginning(text[:end]) for end in range(len(text) + 1)]
    assert all(MASKING.mask(text).text.startswith(beginning) for beginning in shown)
    assert [len(beginning) for beginning in shown] == sorted(len(beginning) for beginning in shown)
    assert len(shown[-1]) > len(text) / 3


def test_without_words_everything_is_shown_at_once() -> None:
    nothing = IdentityMask.create(set())
    assert nothing.mask_beginning("I am") == nothing.mask("I am").text == "I am"


def test_the_words_of_a_model_are_its_names_its_maker_and_its_aliases() -> None:
    model = Model(name="mine", remote_model="example/Falcon-7B")
    entry = ArenaEntry(model="mine", maker=" Example Labs ", aliases=["Fal", "x"])
    expected = {"mine", "example/Falcon-7B", "Falcon-7B", "Example Labs", "Fal"}
    assert identifying_words(model, entry) == expected


def test_reasoning_is_never_visible_and_what_is_visible_only_grows() -> None:
    screen, seen = AnswerScreen(MASKING), []
    for character in "<think>I am SmolLM, a secret</think>Here is the answer of a model by Hugging Face. It is long.":
        screen.add(character)
        seen.append(screen.visible)
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(seen))
    screen.end(Completion(text="<think>I am SmolLM, a secret</think>Here is the answer of a model by Hugging Face."))
    assert screen.visible == f"Here is the answer of a model by {MASK}."
    assert screen.is_masked


def test_a_restart_forgets_the_text() -> None:
    screen = AnswerScreen(IdentityMask.create(set()))
    screen.add("the first attempt at an answer that is long enough")
    assert screen.visible
    screen.restart()
    assert screen.visible == ""
