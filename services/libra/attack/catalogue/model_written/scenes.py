"""An attack that sets a scene around the prompt: a frame with a place for a scene, which a model writes or the seed chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from libra.attack.attack_session import AttackSession
from libra.attack.catalogue.attack import Transform, Write, on_last_turn
from libra.attack.conversation import Turns
from libra.attack.seeded_random import Draw
from libra.attack.structured_prompt import written

Frame = Callable[[str, str], str]
"""Takes a scene and the prompt, and returns the text."""


def chosen(scenes: Sequence[str], frame: Frame) -> Transform:
    """Return the transformation that sets the prompt in one of the scenes."""

    def rewrite(prompt: str, draw: Draw) -> str:
        return frame(draw.one(scenes), prompt)

    return on_last_turn(rewrite)


def made(task: str, frame: Frame) -> Write:
    """Return the way to set the prompt in a scene that a model writes for it."""

    async def write(turns: Turns, _draw: Draw, talk: AttackSession) -> Turns:
        *earlier, last = turns
        return (*earlier, replace(last, content=frame(await written(talk, task, last.content), last.content)))

    return write
