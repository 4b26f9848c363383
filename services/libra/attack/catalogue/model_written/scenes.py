"""Build an attack that sets the prompt in a scene, which a model writes or the seed chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from libra.attack.attack_session import AttackSession
from libra.attack.catalogue.attack import RewriteWithModel, Transform, rewrite_last_turn
from libra.attack.conversation import Turns
from libra.attack.seeded_random import SeededRandom
from libra.attack.structured_prompt import write_text

Frame = Callable[[str, str], str]
"""Takes a scene and the prompt and returns the attacked text."""


def choose_scene(scenes: Sequence[str], frame: Frame) -> Transform:
    """Return the transformation that sets the prompt in one of the scenes, which the seed chooses."""

    def rewrite(prompt: str, rng: SeededRandom) -> str:
        return frame(rng.choice(scenes), prompt)

    return rewrite_last_turn(rewrite)


def write_scene(task: str, frame: Frame) -> RewriteWithModel:
    """Return the rewriting that sets the prompt in a scene which the attacker model writes."""

    async def write(turns: Turns, _rng: SeededRandom, session: AttackSession) -> Turns:
        *earlier, last = turns
        return (*earlier, replace(last, content=frame(await write_text(session, task, last.content), last.content)))

    return write
