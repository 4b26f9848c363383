"""Select the samples of a task for a run, and the tasks that an attack applies to."""

from __future__ import annotations

import hashlib
import random
from functools import lru_cache

from libra.core.attack_names import PLAIN
from libra.v1.task_pb2 import Category

ATTACKABLE = frozenset(
    {
        Category.CATEGORY_DIRECT_RISKY,
        Category.CATEGORY_ADVERSARIAL,
        Category.CATEGORY_INSTRUCTION_HIERARCHY,
    }
)
"""An attack hides a harmful request. A harmless request has nothing to hide, and arithmetic under a jailbreak measures
neither safety nor capability."""


def is_applicable(attack: str, category: Category.ValueType) -> bool:
    """Return whether a run applies this attack to tasks of this category."""
    return attack == PLAIN or category in ATTACKABLE


def scored_category(attack: str, category: Category.ValueType) -> Category.ValueType:
    """Return the category that a trial counts in: `adversarial` for any task under an attack."""
    return category if attack == PLAIN else Category.CATEGORY_ADVERSARIAL


@lru_cache(maxsize=512)
def select_samples(task: str, size: int, samples_per_task: int, seed: int) -> range | tuple[int, ...]:
    """Return the ordinals of the selected samples, ascending; all `size` if `samples_per_task` is 0 or not less.

    The selection depends only on the seed and the task's reference. Therefore every model and attack of a run, and
    every other run with this seed, uses the same samples.
    """
    if samples_per_task == 0 or samples_per_task >= size:
        return range(size)
    digest = hashlib.sha256(f"{seed}/{task}".encode()).digest()
    return tuple(sorted(random.Random(digest).sample(range(size), samples_per_task)))  # noqa: S311 - not a secret
