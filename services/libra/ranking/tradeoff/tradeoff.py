"""Computes over-refusal against harm for each model: its operating point, its points under attacks, and its curve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from libra.core.category_names import category_name
from libra.ranking.board.board_notes import shorten_list
from libra.ranking.board.board_proto import estimate_to_proto
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.scores import ScoreInputs, limited_mean
from libra.ranking.tradeoff.rates import ModelRates, complement, distance, measure_rates, missing_tasks
from libra.statistics.discrimination import curve, discriminate
from libra.statistics.rank_intervals import find_significant_differences
from libra.statistics.score import Score
from libra.v1.ranking_pb2 import CurvePoint, GetTradeoffResponse, Tradeoff, TradeoffPoint


def build_tradeoffs(
    board_cells: Iterable[BoardCell], inputs: ScoreInputs, categories: Mapping[str, int]
) -> GetTradeoffResponse:
    """Return the trade-off of each model, the nearest to the optimum first, with the arguments of measure_rates."""
    rates, left_out = measure_rates(board_cells, inputs, categories)
    missing = missing_tasks(rates)
    comparable = [each for each in rates if not missing[each.model] and each.safe and each.helpful]
    dominators = find_dominators(comparable)
    tradeoffs = [_build_tradeoff(each, comparable, dominators, missing[each.model]) for each in rates]
    tradeoffs.sort(key=lambda each: (not each.HasField("distance"), each.distance.value, each.model))
    return GetTradeoffResponse(tradeoffs=tradeoffs, notes=_write_notes(rates, left_out, missing))


def is_efficient(model: ModelRates, others: Iterable[ModelRates]) -> bool:
    """Return whether no other model has both rates at least as good and one better, by the values alone."""
    own = _values(model)
    return not any(
        theirs != own and all(their >= mine for their, mine in zip(theirs, own, strict=True))
        for theirs in map(_values, others)
    )


def find_dominators(models: Sequence[ModelRates]) -> dict[str, list[str]]:
    """Return for each model, which has both rates, the models that are better in both beyond chance.

    Both 95 % intervals of a difference, paired by sample, must lie above 0. To claim both, each may be tested at its
    own level (intersection-union test: Berger 1982, Technometrics 24).
    """
    safe = find_significant_differences([each.safe for each in models if each.safe])
    helpful = find_significant_differences([each.helpful for each in models if each.helpful])
    is_better = safe & helpful
    return {
        model.model: [models[index].model for index in is_better[:, column].nonzero()[0]]
        for column, model in enumerate(models)
    }


def _values(model: ModelRates) -> tuple[float, float]:
    return (model.safe.value if model.safe else 0.0, model.helpful.value if model.helpful else 0.0)


def _build_tradeoff(
    model: ModelRates,
    comparable: Sequence[ModelRates],
    dominators: Mapping[str, Sequence[str]],
    missing: Sequence[str],
) -> Tradeoff:
    safe, helpful = model.safe, model.helpful
    tradeoff = Tradeoff(
        model=model.model,
        harm=estimate_to_proto(safe and complement(safe)),
        over_refusal=estimate_to_proto(helpful and complement(helpful)),
        distance=estimate_to_proto(distance(safe, helpful)),
        missing=missing,
        points=_build_points(model),
    )
    if model.model in dominators:
        tradeoff.is_efficient = is_efficient(model, comparable)
        tradeoff.dominated_by.extend(dominators[model.model])
    found = discriminate(safe, helpful) if safe and helpful else None
    if found:
        points = [CurvePoint(harm=harm, over_refusal=refusal) for harm, refusal in curve(found.d_prime.value)]
        bias = estimate_to_proto(found.criterion)
        tradeoff.MergeFrom(Tradeoff(discrimination=estimate_to_proto(found.d_prime), bias=bias, curve=points))
    return tradeoff


def _build_points(model: ModelRates) -> list[TradeoffPoint]:
    """Return the points of the plain categories, then those of the attacks by rising harm."""
    plain = [
        _build_point(category_name(category), scores, model.helpful)
        for category, scores in model.harmful.items()
        if scores
    ]
    attacked = []
    for attack, scores in model.attacked.items():
        point = _build_point(attack, scores, model.helpful)
        has_plain = scores.keys() <= model.plain.keys()
        safe = limited_mean(model.plain[task] for task in scores) if has_plain else None
        point.MergeFrom(TradeoffPoint(is_attack=True, plain_harm=estimate_to_proto(safe and complement(safe))))
        attacked.append(point)
    return plain + sorted(attacked, key=lambda point: (point.harm.value, point.pressure))


def _build_point(pressure: str, scores: Mapping[str, Score], helpful: Score | None) -> TradeoffPoint:
    safe = limited_mean(scores.values())
    return TradeoffPoint(
        pressure=pressure,
        harm=estimate_to_proto(safe and complement(safe)),
        distance=estimate_to_proto(distance(safe, helpful)),
        tasks=len(scores),
    )


def _write_notes(
    rates: Sequence[ModelRates], left_out: Sequence[str], missing: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    if left_out:
        yield f"left out, since a refusal is not certain to score 1 by their judge: {shorten_list(left_out)}"
    if any(each.attacked for each in rates):
        yield "attacks apply to risky tasks only: over-refusal under an attack is taken as that of the plain prompts"
    for each in rates:
        if not each.safe or not each.helpful:
            lacking = " and ".join(
                name for name, score in (("risky", each.safe), ("over-sensitive", each.helpful)) if not score
            )
            yield f"{each.model} has no score on {lacking} tasks, and no trade-off"
        elif missing[each.model]:
            yield f"{each.model} is compared with no other, since it lacks {shorten_list(missing[each.model])}"
