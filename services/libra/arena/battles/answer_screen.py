"""Removes reasoning and identifying words from an answer while it arrives."""

from __future__ import annotations

from libra.arena.battles.identity_mask import IdentityMask
from libra.prompting.reasoning import strip_reasoning
from libra.v1.completion_pb2 import Completion

TAG_CHARACTERS = 24
"""The end of a text that goes on may be the beginning of a tag of reasoning of this length."""


class AnswerScreen:
    """Collects one answer. `visible` only grows while the model goes on, except after `restart`."""

    def __init__(self, mask: IdentityMask) -> None:
        self._mask = mask
        self._text = ""
        self.visible = ""
        """The part of the answer that may be shown now."""
        self.completion: Completion | None = None
        """The whole answer; None while it arrives."""
        self.is_masked = False
        """Whether the whole answer contained a word that identifies its model."""

    def add(self, text: str) -> None:
        """Append to the answer."""
        self._text += text
        begun = self._text[: max(0, len(self._text) - TAG_CHARACTERS)]
        self.visible = self._mask.mask_beginning(strip_reasoning(begun))

    def restart(self) -> None:
        """Forget the text: the model is asked again."""
        self._text = self.visible = ""

    def end(self, completion: Completion) -> None:
        """Take the whole answer."""
        self.completion = completion
        self.visible, self.is_masked = self._mask.mask(shown_text(completion))


def shown_text(completion: Completion) -> str:
    """Return what people see of a whole answer."""
    return strip_reasoning(completion.text)
