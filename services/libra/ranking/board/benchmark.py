"""Computes benchmark accuracies: scores with their uncertainty for the very samples of the tasks (NIST AI 800-3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from libra.ranking.board.scores import ScoreInputs, mean_score, score_cell, to_section
from libra.statistics import overall
from libra.statistics.benchmark_accuracy import benchmark_mean
from libra.statistics.score import Score
from libra.store.sums.cells import Cell


@dataclass(frozen=True, slots=True)
class BenchmarkScores:
    """The benchmark accuracies of one model."""

    overall: Score | None = None
    safety: Score | None = None
    capability: Score | None = None


NO_BENCHMARK_SCORES = BenchmarkScores()


def benchmark_score(cell: Cell, inputs: ScoreInputs) -> Score | None:
    """Return the benchmark accuracy of a cell; None without trials that count, or if it was not requested.

    Its error is unknown without repeated epochs, and without the sums by sample.
    """
    if not inputs.benchmark_accuracy or not cell.n:
        return None
    sums = inputs.sample_sums.get(cell.key)
    if sums is None:
        score = score_cell(cell)
        return score and Score(score.value, score.n, None)
    if not cell.is_balanced:
        return benchmark_mean(to_section(cell.task, sums), cell.sum_squares)
    return mean_score(
        benchmark_mean(to_section(cell.task, part, label), cell.labels[label].sum_squares)
        for label, part in sums.by_label().items()
    )


def combine(safety: Score | None, capability: Score | None) -> BenchmarkScores:
    """Return the benchmark accuracies of a model with these."""
    both = overall.by_distance(capability, safety) if safety and capability else None
    return BenchmarkScores(both, safety, capability)


def benchmark_notes(scores: Iterable[tuple[str, Score | None]]) -> list[str]:
    """Return what the benchmark accuracies of tasks leave open. `scores` are by the label of the task."""
    unknown = {label for label, score in scores if score and score.standard_error is None}
    notes = ["benchmark accuracy holds for these very samples, generalised accuracy (the scores) for others like them"]
    if unknown:
        notes.append(
            f"the error of benchmark accuracy is not known for {len(unknown)} tasks, which have fewer than two epochs "
            "for half of their samples: it is between 0, if the same question always gets the same answer, and that of "
            "generalised accuracy; `libra run create --epochs 5` measures it"
        )
    return notes
