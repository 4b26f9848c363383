"""Combine several attacks: each is applied to the result of the one before it."""

from __future__ import annotations

from collections.abc import Sequence

from libra.attack.catalogue.attack import Attack
from libra.core.attack_names import JOIN


def compose(steps: Sequence[Attack]) -> Attack:
    """Return the attack that applies the steps in order; there are at least two, and all are single attacks."""
    return Attack(
        name=JOIN.join(step.name for step in steps),
        version=JOIN.join(step.version for step in steps),
        description=f"Applies {', then '.join(step.name for step in steps)}.",
        source="; ".join(dict.fromkeys(step.source for step in steps)),
        transform=None,
        family="composition",
        model_use=max(step.model_use for step in steps),
        multi_turn=any(step.multi_turn for step in steps),
        rewrites_request=any(step.rewrites_request for step in steps),
        steps=tuple(steps),
    )
