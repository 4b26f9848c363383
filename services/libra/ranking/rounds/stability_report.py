"""The stability report: two rounds ranked on the anchors that they share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from libra.core.errors import Invalid
from libra.statistics.rank_stability import AnchorScores, Stability, compare_rankings
from libra.v1.ranking_pb2 import Estimate, ModelStability, RankChange, ReportStabilityResponse

AnchorKey = tuple[str, str, str]
"""A task's name, an attack, and the content of an anchor."""

ModelScores = Mapping[str, Mapping[AnchorKey, float]]
"""By model, its mean score on each anchor."""

SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True)
class AnchorTable:
    """The scores of the models that both rounds have, on the anchors for which all of them have one."""

    models: Sequence[str]
    tasks: Sequence[AnchorScores]
    anchors: int
    """The number of anchors, each counted once for each attack."""


def build_stability(
    earlier_name: str, later_name: str, earlier: ModelScores, later: ModelScores
) -> ReportStabilityResponse:
    """Return the report; raise Invalid if the rounds share no anchor or fewer than two models."""
    table = align(earlier_name, later_name, earlier, later)
    seed = int.from_bytes(hashlib.sha256(f"{earlier_name}/{later_name}".encode()).digest()[:8], "big")
    return _to_proto(table, compare_rankings(table.tasks, seed), _notes(table, earlier, later))


def align(earlier_name: str, later_name: str, earlier: ModelScores, later: ModelScores) -> AnchorTable:
    """Return the scores of the common models on their common anchors; raise Invalid if there are too few."""
    models = sorted(set(earlier) & set(later))
    if len(models) < 2:  # noqa: PLR2004 - a ranking has at least two models
        raise Invalid(
            f"the rounds {earlier_name} and {later_name} share {len(models)} models with scores on anchors of the "
            "second; at least two are needed",
            field="later",
        )
    keys = set.intersection(*(set(scores[model]) for scores in (earlier, later) for model in models))
    if not keys:
        raise Invalid(
            f"no anchor of {later_name} from {earlier_name} has a score of every model in both rounds", field="later"
        )
    tasks: dict[tuple[str, str], list[AnchorKey]] = {}
    for key in sorted(keys):
        tasks.setdefault(key[:2], []).append(key)
    return AnchorTable(
        models,
        [
            AnchorScores(
                *(np.array([[scores[m][key] for key in of_task] for m in models]) for scores in (earlier, later))
            )
            for of_task in tasks.values()
        ],
        len(keys),
    )


def _notes(table: AnchorTable, earlier: ModelScores, later: ModelScores) -> list[str]:
    notes = []
    if missing := sorted(set(earlier) ^ set(later)):
        notes.append(f"left out, since only one of the rounds has them: {', '.join(missing)}")
    pairs = len(table.models) * (len(table.models) - 1) // 2
    if pairs * 2 ** (1 - table.anchors) > SIGNIFICANCE:
        notes.append(
            f"{table.anchors} anchors are too few to prove any change of rank among {len(table.models)} models"
        )
    return notes


def _to_proto(table: AnchorTable, found: Stability, notes: Sequence[str]) -> ReportStabilityResponse:
    response = ReportStabilityResponse(notes=notes)
    if found.tau is not None and found.tau_interval is not None:
        low, high = found.tau_interval.low, found.tau_interval.high
        response.tau.CopyFrom(Estimate(value=found.tau, n=table.anchors, low=low, high=high))
    for index in sorted(range(len(table.models)), key=lambda each: (-found.later[each], table.models[each])):
        response.models.append(
            ModelStability(
                model=table.models[index],
                earlier_rank=_rank(found.earlier, index),
                later_rank=_rank(found.later, index),
                earlier_score=found.earlier[index],
                later_score=found.later[index],
            )
        )
    for change in found.changes:
        response.changes.append(
            RankChange(
                down=table.models[change.down],
                up=table.models[change.up],
                change=Estimate(
                    value=change.change, n=table.anchors, low=change.interval.low, high=change.interval.high
                ),
                p=change.p,
                p_holm=change.p_holm,
                real=change.is_real,
            )
        )
    return response


def _rank(scores: Sequence[float], index: int) -> int:
    return 1 + sum(score > scores[index] for score in scores)
