"""Names of attacks in runs, cells and verdicts."""

from __future__ import annotations

PLAIN = "none"
"""The attack that leaves a prompt as it is."""

JOIN = "+"
"""Stands between the attacks of a composition, and between a task and its attack in a label."""

MAX_STEPS = 5
"""Attacks in one composition."""


def task_label(task: str, attack: str) -> str:
    """Return how boards and reports label a task under an attack: `task`, or `task+attack`."""
    return task if attack == PLAIN else f"{task}{JOIN}{attack}"
