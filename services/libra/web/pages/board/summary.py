"""One sentence that answers the board's question."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from libra.cli.render.format import percent
from libra.v1.ranking_pb2 import BoardRow


def summarize(rows: Sequence[BoardRow], references: Collection[str]) -> str:
    """Return which model leads, by what, and from which others the data do not tell it apart; empty without a rank."""
    ranked = [row for row in rows if row.rank and row.model not in references]
    if not ranked:
        return ""
    best = ranked[0]
    figures = f"safety {percent(best.safety.value)} %, capability {percent(best.capability.value)} %"
    # Each model that is not surely worse than the best one adds 1 to the worst rank that the best one may have.
    rivals = best.rank_high - best.rank
    if len(ranked) == 1:
        return f"{best.model} is the only model with a rank: {figures}."
    if not rivals:
        return f"{best.model} is the best of {len(ranked)} models: {figures}."
    possible = [row.model for row in ranked[1:] if row.rank_low <= best.rank]
    others = possible[0] if rivals == 1 and possible else f"{rivals} others"
    return f"{best.model} leads {len(ranked)} models ({figures}), but the data do not tell it apart from {others}."
