"""Boards whose truth is known: drawn at once, scored one by one as Libra does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from libra.statistics import interval, overall
from libra.statistics.influence import average, mean
from libra.statistics.score import Score, Section

BOARDS = 2_000
CATEGORIES = (2, 2, 2, 1, 1)
"""Tasks of four safety categories and of capability; the second of them is the one that is attacked."""


@dataclass(frozen=True, slots=True)
class Design:
    """How a board is made. The truth of every task is drawn anew for each board, so that no coverage is one of luck."""

    samples: Sequence[int]
    """Of the tasks of a category, in turn."""

    beta: tuple[float, float]
    """The distribution of a task's true score."""

    epochs: int = 1
    attacks: int = 1
    alike: float = 0.0
    """How far the answers to one sample are alike, under any attack and in any epoch, in [0, 1)."""

    graded: bool = False
    """Whether scores lie between 0 and 1 instead of being one of them."""


def drawn(design: Design, generator: np.random.Generator, truth: np.ndarray, samples: int) -> np.ndarray:
    """Return the sums by sample, in the shape of `truth` (boards, attacks) with the samples behind."""
    if design.graded:
        return generator.beta(4 * truth[..., None], 4 * (1 - truth[..., None]), (*truth.shape, samples))
    # A trial scores 1 if a normal figure, part of which is the sample's own, lies below the quantile of the truth.
    own = generator.standard_normal((len(truth), 1, samples, 1)) * np.sqrt(design.alike)
    chance = generator.standard_normal((*truth.shape, samples, design.epochs)) * np.sqrt(1 - design.alike)
    sums: np.ndarray = (own + chance < ndtri(truth)[..., None, None]).sum(axis=-1).astype(float)
    return sums


@dataclass(frozen=True, slots=True)
class Task:
    space: str
    truth: np.ndarray
    """By board and attack."""

    sums: np.ndarray
    """By board, attack and sample."""


def categories_of(design: Design, generator: np.random.Generator, boards: int) -> list[list[Task]]:
    categories = []
    for place, tasks in enumerate(CATEGORIES):
        made = []
        for task in range(tasks):
            attacks = design.attacks if place == 1 else 1
            truth = np.clip(generator.beta(*design.beta, (boards, attacks)), 1e-4, 1 - 1e-4)
            sums = drawn(design, generator, truth, design.samples[task % len(design.samples)])
            made.append(Task(f"{place}.{task}@1", truth, sums))
        categories.append(made)
    return categories


def coverages(design: Design, seed: int, boards: int = BOARDS) -> dict[str, float]:
    """Return by level the share of intervals that hold the truth."""
    categories = categories_of(design, np.random.default_rng(seed), boards)
    held: defaultdict[str, list[bool]] = defaultdict(list)
    for board in range(boards):
        for level, score, truth in scored(design, categories, board):
            ends = interval.of_score(score)
            assert ends
            held[level].append(ends.low - 1e-12 <= truth <= ends.high + 1e-12)
    return {level: float(np.mean(each)) for level, each in held.items()}


def scored(design: Design, categories: Sequence[Sequence[Task]], board: int) -> list[tuple[str, Score, float]]:
    """Return what is shown of one board: its level, the score, and the truth."""
    shown, means, truths = [], [], []
    for tasks in categories:
        parts = [
            (found, float(truth))
            for task in tasks
            for sums, truth in zip(task.sums[board], task.truth[board], strict=True)
            if (found := mean(section(task.space, sums, design.epochs)))
        ]
        shown += [("task", score, truth) for score, truth in parts]
        means.append(average([score for score, _ in parts]))
        truths.append(float(np.mean([truth for _, truth in parts])))
    shown += [("category", score, truth) for score, truth in zip(means, truths, strict=True)]
    safety, true_safety = average(means[:-1]), float(np.mean(truths[:-1]))
    capability, true_capability = means[-1], truths[-1]
    distance = float(np.hypot(1 - true_capability, 1 - true_safety) / np.sqrt(2))
    norm = float(np.hypot(true_capability, true_safety) / np.sqrt(2))
    return [
        *shown,
        ("safety", safety, true_safety),
        ("capability", capability, true_capability),
        ("overall", overall.by_distance(capability, safety), 1 - distance),
        ("sum", overall.by_sum(capability, safety), (true_capability + true_safety) / 2),
        ("norm", overall.by_norm(capability, safety), norm),
    ]


def section(space: str, sums: np.ndarray, count: int = 1) -> Section:
    ordinals, counts = np.arange(len(sums)), np.full(len(sums), count)
    return Section(space, ordinals, counts, sums)  # type: ignore[arg-type]  # arrays serve as well


def task(space: str, scores: Sequence[float], first: int = 0) -> Score:
    """Return the score of one trial a sample, whose ordinals begin at `first`."""
    found = mean(Section(space, range(first, first + len(scores)), [1] * len(scores), scores))
    assert found
    return found
