"""Which samples of a task a run takes, and which tasks an attack is for."""

from __future__ import annotations

import hashlib
import random
from functools import lru_cache

from libra.contracts.attacks import PLAIN
from libra.v1.task_pb2 import Category

ATTACKABLE = frozenset(
    {
        Category.CATEGORY_DIRECT_RISKY,
        Category.CATEGORY_ADVERSARIAL,
        Category.CATEGORY_INSTRUCTION_HIERARCHY,
    }
)
"""An attack hides a harmful request. A harmless one has nothing to hide, and arithmetic under a jailbreak measures
neither safety nor capability."""


def applies(attack: str, category: Category.ValueType) -> bool:
    """Tell whether a run puts a task of this category under this attack."""
    return attack == PLAIN or category in ATTACKABLE


def counts_in(attack: str, category: Category.ValueType) -> Category.ValueType:
    """Return the category a trial counts in: `adversarial` for any task under an attack."""
    return category if attack == PLAIN else Category.CATEGORY_ADVERSARIAL


@lru_cache(maxsize=512)
def choose(task: str, size: int, wanted: int, seed: int) -> range | tuple[int, ...]:
    """Return the ordinals, ascending, of `wanted` out of `size` samples; all of them if `wanted` is 0 or more than there are.

    The choice depends on the seed and the task's reference alone, so that every model and every attack of a run, and every
    other run with this seed, meets the same samples.
    """
    if wanted == 0 or wanted >= size:
        return range(size)
    digest = hashlib.sha256(f"{seed}/{task}".encode()).digest()
    return tuple(sorted(random.Random(digest).sample(range(size), wanted)))  # noqa: S311 - a sample, not a secret
