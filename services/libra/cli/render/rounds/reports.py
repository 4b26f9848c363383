"""Formats the contamination report and the stability report."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from libra.cli.render.format import p_value, percent, signed_interval, signed_points
from libra.cli.render.output import add_row, new_table
from libra.v1.ranking_pb2 import (
    ContaminationGap,
    ModelStability,
    RankChange,
    ReportContaminationResponse,
    ReportStabilityResponse,
)

ALL_TASKS = "(mean of tasks)"

CONTAMINATION_LEGEND = (
    "published: the score on samples of closed rounds, with the number of samples; fresh: on those samples of the "
    "round that were never published; gap: published - fresh in points, with its 95 % interval (Newcombe 1998). * "
    "marks a gap whose interval excludes 0 at the level that holds for all gaps of the report at once (Bonferroni)."
)
STABILITY_LEGEND = (
    "The scores are means over the anchors alone. tau: 1 for the same order, -1 for the opposite one, with a 95 % "
    "bootstrap interval over the anchors. A change of places is real if p, by random signs and after Holm's correction "
    "over all pairs of models, is below 5 %."
)


def contamination_table(gaps: Iterable[ContaminationGap]) -> Table:
    """Return the gaps for a terminal of 80 columns."""
    numbers = ("published", "n", "fresh", "n ", "gap", "95 %")
    table = new_table("model", "task", *numbers, "", right=numbers, compact=True)
    for gap in gaps:
        add_row(
            table,
            gap.model,
            gap.task or ALL_TASKS,
            *(percent(gap.released.value), gap.released.n, percent(gap.fresh.value), gap.fresh.n),
            signed_points(gap.gap.value),
            signed_interval(gap.gap),
            "*" if gap.flagged else "",
        )
    return table


def contamination_legend(reply: ReportContaminationResponse) -> list[str]:
    """Return the flagged models in words, the legend and the notes."""
    higher = sorted({gap.model for gap in reply.gaps if gap.flagged and gap.gap.value > 0})
    lower = sorted({gap.model for gap in reply.gaps if gap.flagged and gap.gap.value < 0})
    texts = [""] if reply.gaps else []
    if higher:
        texts.append(f"Better on published samples, as after training on them: {', '.join(higher)}.")
    if lower:
        texts.append(f"Worse on published samples, which were harder for: {', '.join(lower)}.")
    if reply.gaps and not higher and not lower:
        texts.append("No gap is significant.")
    if reply.gaps:
        texts.append(CONTAMINATION_LEGEND)
    return [*texts, *reply.notes]


def stability_table(models: Iterable[ModelStability], earlier: str, later: str) -> Table:
    """Return the ranks and scores of the models in both rounds."""
    heads = (f"rank {earlier}", f"rank {later}", f"score {earlier}", f"score {later}")
    table = new_table("model", *heads, right=heads)
    for model in models:
        ranks = (model.earlier_rank, model.later_rank)
        add_row(table, model.model, *ranks, percent(model.earlier_score), percent(model.later_score))
    return table


def tau_line(reply: ReportStabilityResponse) -> str:
    """Return Kendall's tau with its interval."""
    if not reply.HasField("tau"):
        return "Kendall's tau: not defined, because all models have the same score in one of the rounds"
    tau = reply.tau
    return f"Kendall's tau: {tau.value:.2f} ({tau.low:.2f} to {tau.high:.2f}), {tau.n:,} anchors"


def changes_table(changes: Iterable[RankChange]) -> Table:
    """Return the pairs of models that changed places."""
    numbers = ("change", "95 %", "p")
    table = new_table("moved up", "past", *numbers, "real", right=numbers)
    for change in changes:
        interval = signed_interval(change.change)
        real = "yes" if change.real else "no"
        add_row(
            table, change.up, change.down, signed_points(change.change.value), interval, p_value(change.p_holm), real
        )
    return table


def stability_legend(reply: ReportStabilityResponse) -> list[str]:
    """Return the legend and the notes."""
    return ["", STABILITY_LEGEND, *reply.notes]
