"""How a limit is divided among those who want a part of it."""

from __future__ import annotations

from collections.abc import Mapping


def fair(limit: int, wants: Mapping[str, int], turn: int = 0) -> dict[str, int]:
    """Return the part of each: none of who wants little gets less than that, and none who wants more gets less than another.

    What is left when all have what they want goes to them in proportion, so that it is there when they want it. The parts
    add up to the limit, unless nobody wants any. If there are more who want than there is to give, it goes round: some have
    one each, and others with the next `turn`.
    """
    parts = dict.fromkeys(wants, 0)
    order = _from_turn(wants, turn)
    if limit < len(order):
        return parts | dict.fromkeys(order[: max(limit, 0)], 1)
    left = limit
    for place, name in enumerate(sorted(order, key=lambda name: wants[name])):
        parts[name] = min(wants[name], left // (len(order) - place))
        left -= parts[name]
    spare = apportioned(left, {name: wants[name] for name in order})
    return parts | {name: parts[name] + spare[name] for name in order}


def in_proportion(limit: int, weights: Mapping[str, int], turn: int = 0) -> dict[str, int]:
    """Return parts in proportion to the weights, at least one for each that has any weight; as `fair` if there are too few."""
    parts = dict.fromkeys(weights, 0)
    order = _from_turn(weights, turn)
    if limit < len(order):
        return parts | dict.fromkeys(order[: max(limit, 0)], 1)
    more = apportioned(limit - len(order), {name: weights[name] for name in order})
    return parts | {name: 1 + more[name] for name in order}


def apportioned(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Return whole parts in proportion to positive weights; they add up to the total (the largest remainders gain)."""
    whole = sum(weights.values())
    if not whole:
        return dict.fromkeys(weights, 0)
    parts = {name: total * weight // whole for name, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda name: (-(total * weights[name] % whole), name))
    for name in by_remainder[: total - sum(parts.values())]:
        parts[name] += 1
    return parts


def _from_turn(wants: Mapping[str, int], turn: int) -> list[str]:
    order = sorted(name for name, want in wants.items() if want > 0)
    start = turn % len(order) if order else 0
    return order[start:] + order[:start]
