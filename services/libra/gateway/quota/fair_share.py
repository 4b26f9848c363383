"""Max-min fair division of a limit among replicas."""

from __future__ import annotations

from collections.abc import Mapping


def fair_shares(limit: int, demands: Mapping[str, int], rotation: int = 0) -> dict[str, int]:
    """Return the max-min fair share of each replica: small demands are met, larger ones get equal shares.

    If all demands are met, the rest is divided in proportion to demand, so that it is there when demand grows. The
    shares add up to the limit, unless nobody has any demand. If more replicas have a demand than the limit can serve,
    some have one each and the others have their turn with the next `rotation`.
    """
    shares = dict.fromkeys(demands, 0)
    order = _rotated(demands, rotation)
    if limit < len(order):
        return shares | dict.fromkeys(order[: max(limit, 0)], 1)
    left = limit
    for position, name in enumerate(sorted(order, key=lambda name: demands[name])):
        shares[name] = min(demands[name], left // (len(order) - position))
        left -= shares[name]
    spare = apportion(left, {name: demands[name] for name in order})
    return shares | {name: shares[name] + spare[name] for name in order}


def proportional_shares(limit: int, weights: Mapping[str, int], rotation: int = 0) -> dict[str, int]:
    """Return shares in proportion to the weights, at least one each; `rotation` works as in `fair_shares`."""
    shares = dict.fromkeys(weights, 0)
    order = _rotated(weights, rotation)
    if limit < len(order):
        return shares | dict.fromkeys(order[: max(limit, 0)], 1)
    more = apportion(limit - len(order), {name: weights[name] for name in order})
    return shares | {name: 1 + more[name] for name in order}


def apportion(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Return whole numbers in proportion to positive weights that add up to the total (largest remainder method)."""
    weight_sum = sum(weights.values())
    if not weight_sum:
        return dict.fromkeys(weights, 0)
    shares = {name: total * weight // weight_sum for name, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda name: (-(total * weights[name] % weight_sum), name))
    for name in by_remainder[: total - sum(shares.values())]:
        shares[name] += 1
    return shares


def _rotated(demands: Mapping[str, int], rotation: int) -> list[str]:
    order = sorted(name for name, demand in demands.items() if demand > 0)
    start = rotation % len(order) if order else 0
    return order[start:] + order[:start]
