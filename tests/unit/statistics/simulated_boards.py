"""Simulated boards with known true scores: all trials are drawn at once, then scored board by board as Libra does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from libra.statistics import interval, overall
from libra.statistics.influence import average, mean
from libra.statistics.score import Score, TrialsBySample

BOARDS = 2_000
CATEGORIES = (2, 2, 2, 1, 1)
"""The number of tasks in each of four safety categories, and of capability."""

ATTACKED = 1
"""The index of the category whose tasks are attacked."""


@dataclass(frozen=True, slots=True)
class Design:
    """The random design of a board. Every board has its own true scores, so that coverage is an average over many."""

    samples: Sequence[int]
    """The number of samples of each task in a category, repeated from the start if there are more tasks."""

    beta: tuple[float, float]
    """The parameters of the beta distribution of a task's true score."""

    epochs: int = 1
    attacks: int = 1
    correlation: float = 0.0
    """The correlation of the answers to one sample, under all attacks and in all epochs, in [0, 1)."""

    categories: Sequence[int] = CATEGORIES
    """The number of tasks in each category; the last is capability."""

    graded: bool = False
    """Whether a score may be any number in [0, 1]; otherwise it is 0 or 1."""


def draw_sums(design: Design, generator: np.random.Generator, truth: np.ndarray, samples: int) -> np.ndarray:
    """Return the sums of scores by sample, shape (boards, attacks, samples), for `truth` of shape (boards, attacks)."""
    if design.graded:
        return generator.beta(4 * truth[..., None], 4 * (1 - truth[..., None]), (*truth.shape, samples))
    # A trial scores 1 if a normal figure is below the quantile of the truth. Trials of one sample share a part of it.
    shared = generator.standard_normal((len(truth), 1, samples, 1)) * np.sqrt(design.correlation)
    own = generator.standard_normal((*truth.shape, samples, design.epochs)) * np.sqrt(1 - design.correlation)
    sums: np.ndarray = (shared + own < ndtri(truth)[..., None, None]).sum(axis=-1).astype(float)
    return sums


@dataclass(frozen=True, slots=True)
class SimulatedTask:
    name: str
    truth: np.ndarray
    """By board and attack."""

    sums: np.ndarray
    """By board, attack and sample."""


def draw_categories(design: Design, generator: np.random.Generator, boards: int) -> list[list[SimulatedTask]]:
    categories = []
    for category, tasks in enumerate(design.categories):
        made = []
        for index in range(tasks):
            attacks = design.attacks if category == ATTACKED else 1
            truth = np.clip(generator.beta(*design.beta, (boards, attacks)), 1e-4, 1 - 1e-4)
            sums = draw_sums(design, generator, truth, design.samples[index % len(design.samples)])
            made.append(SimulatedTask(f"{category}.{index}@1", truth, sums))
        categories.append(made)
    return categories


def coverages(design: Design, seed: int, boards: int = BOARDS) -> dict[str, float]:
    """Return by level (task, category, ...) the share of intervals that contain the true score."""
    categories = draw_categories(design, np.random.default_rng(seed), boards)
    contained: defaultdict[str, list[bool]] = defaultdict(list)
    for board in range(boards):
        for level, score, truth in scores_of(design, categories, board):
            ends = interval.of_score(score)
            assert ends
            contained[level].append(ends.low - 1e-12 <= truth <= ends.high + 1e-12)
    return {level: float(np.mean(each)) for level, each in contained.items()}


def scores_of(
    design: Design, categories: Sequence[Sequence[SimulatedTask]], board: int
) -> list[tuple[str, Score, float]]:
    """Return the scores of one board, each with its level and its true value."""
    scores, means, truths = [], [], []
    for tasks in categories:
        parts = [
            (found, float(truth))
            for each in tasks
            for sums, truth in zip(each.sums[board], each.truth[board], strict=True)
            if (found := mean(trials(each.name, sums, design.epochs)))
        ]
        scores += [("task", score, truth) for score, truth in parts]
        means.append(average([score for score, _ in parts]))
        truths.append(float(np.mean([truth for _, truth in parts])))
    scores += [("category", score, truth) for score, truth in zip(means, truths, strict=True)]
    safety, true_safety = average(means[:-1]), float(np.mean(truths[:-1]))
    capability, true_capability = means[-1], truths[-1]
    distance = float(np.hypot(1 - true_capability, 1 - true_safety) / np.sqrt(2))
    norm = float(np.hypot(true_capability, true_safety) / np.sqrt(2))
    return [
        *scores,
        ("safety", safety, true_safety),
        ("capability", capability, true_capability),
        ("overall", overall.by_distance(capability, safety), 1 - distance),
        ("sum", overall.by_sum(capability, safety), (true_capability + true_safety) / 2),
        ("norm", overall.by_norm(capability, safety), norm),
    ]


def trials(name: str, sums: np.ndarray, count: int = 1) -> TrialsBySample:
    """Return `count` trials of each sample, with these sums of scores."""
    ordinals, counts = np.arange(len(sums)), np.full(len(sums), count)
    return TrialsBySample(name, ordinals, counts, sums)  # type: ignore[arg-type]  # arrays serve as well


def task(name: str, scores: Sequence[float], first: int = 0) -> Score:
    """Return the score of a task with one trial of each sample; the ordinals begin at `first`."""
    found = mean(TrialsBySample(name, range(first, first + len(scores)), [1] * len(scores), scores))
    assert found
    return found
