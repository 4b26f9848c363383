from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.prompting.reasoning import strip_reasoning


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Paris.", "Paris."),
        ("  Paris.\n", "Paris."),
        ("<think>Is it Lyon?</think>\n\nParis.", "Paris."),
        ("<THINKING>Is it Lyon?</THINKING>Paris.", "Paris."),
        ("<think>Lyon?</think>Paris<think>sure?</think>.", "Paris."),
        ("[THINK]Lyon?[/THINK]Paris.", "Paris."),
        ("◁think▷Lyon?◁/think▷Paris.", "Paris."),
        ("<|begin_of_thought|>Lyon?<|end_of_thought|>Paris.", "Paris."),
        (
            "<|channel|>analysis<|message|>Lyon?<|end|><|start|>assistant<|channel|>final<|message|>Paris.<|return|>",
            "Paris.",
        ),
        # never closed: the tokens ran out while the model reasoned
        ("<think>Is it Lyon? Or", ""),
        ("Paris.\n<think>Is it Lyon? Or", "Paris."),
        # the opening tag was in the prompt
        ("Is it Lyon? No.</think>\nParis.", "Paris."),
        # nested
        ("<think>a<think>b</think>Paris.", "Paris."),
        # a mention of a tag opens no block
        ("Models write <think> before they answer.", "Models write <think> before they answer."),
        ("if a < b: return [1]", "if a < b: return [1]"),
        ("", ""),
    ],
)
def test_reasoning_is_stripped(text: str, left: str) -> None:
    assert strip_reasoning(text) == left


@given(st.text(), st.text(alphabet=st.characters(exclude_characters="<[◁")))
def test_a_block_before_an_answer_never_changes_it(thought: str, answer: str) -> None:
    thought = thought.replace("<", "").replace("[", "").replace("◁", "")
    assert strip_reasoning(f"<think>{thought}</think>{answer}") == answer.strip()
