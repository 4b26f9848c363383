"""Fit a sparse logistic regression to answers with labels, with NumPy and SciPy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize
from tests.refusal_model.rows import BACKGROUND, Row

from libra.judge.refusal_detection.detector import COMPLIED, judge_without_refusal
from libra.judge.refusal_detection.matcher import find_refusal, speaker_text
from libra.judge.refusal_detection.request_traits import RequestTraits
from libra.judge.refusal_detection.wording import (
    SEQUENCE_SCALE,
    TRAIT_SCALE,
    evidence_of,
    is_for_wording,
    traits,
    word_sequences,
)
from libra.judge.text.normalize import normalize_and_casefold

MIN_ROWS = 3
"""A feature of fewer rows is left out."""

MAX_FEATURES = 5000
INVERSE_PENALTY = 3.0
MAX_STEPS = 200


class Example(NamedTuple):
    sequences: frozenset[str]
    traits: frozenset[str]
    is_for_wording: bool
    refuses: bool
    """Whether the rules find a refusal."""

    ignores: bool
    """Whether the rules find that the answer ignores the request, or cannot tell."""


class LinearModel(NamedTuple):
    places: dict[str, int]
    weights: np.ndarray
    """One weight for each feature, and a constant."""

    def scores(self, examples: Sequence[Example]) -> np.ndarray:
        return np.asarray(_matrix(examples, self.places) @ self.weights[:-1] + self.weights[-1])


def example_of(row: Row) -> Example:
    """Return the features of a row, and what the rules find without the weights."""
    request = RequestTraits(normalize_and_casefold(row.request))
    whole = speaker_text(request, row.answer)
    refusal = find_refusal(request, whole)
    ignores = row.source != BACKGROUND and judge_without_refusal(request, row.request, row.answer).label != COMPLIED
    names = frozenset(traits(request, whole, evidence_of(refusal)))
    return Example(
        frozenset(map(" ".join, word_sequences(whole))),
        names,
        is_for_wording(whole, refusal),
        refusal is not None,
        ignores,
    )


def fit(examples: Sequence[Example], labels: np.ndarray) -> LinearModel:
    """Fit a model to the most telling features of these examples."""
    counts = Counter(name for example in examples for name in example.sequences | example.traits)
    names = sorted(name for name, count in counts.items() if count >= MIN_ROWS)
    model = _fit(examples, labels, names)
    spread = np.asarray(np.sqrt(_matrix(examples, model.places).power(2).sum(axis=0))).ravel()
    best = np.argsort(-np.abs(model.weights[:-1]) * spread)[:MAX_FEATURES]
    return _fit(examples, labels, [names[place] for place in sorted(best)])


def _fit(examples: Sequence[Example], labels: np.ndarray, names: list[str]) -> LinearModel:
    places = {name: place for place, name in enumerate(names)}
    features = _matrix(examples, places)
    signs = np.where(labels, 1.0, -1.0)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (features @ weights[:-1] + weights[-1])
        slope = -signs / (1 + np.exp(margins))
        value = INVERSE_PENALTY * np.logaddexp(0, -margins).sum() + weights[:-1] @ weights[:-1] / 2
        gradient = INVERSE_PENALTY * (features.T @ slope) + weights[:-1]
        return value, np.append(gradient, INVERSE_PENALTY * slope.sum())

    found = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS})
    return LinearModel(places, found.x)


def _matrix(examples: Sequence[Example], places: dict[str, int]) -> sp.csr_matrix:
    entries = [
        (row, places[name], value)
        for row, example in enumerate(examples)
        for names, value in (
            (example.sequences, SEQUENCE_SCALE / sqrt(len(example.sequences))),
            (example.traits, TRAIT_SCALE),
        )
        for name in names
        if name in places
    ]
    rows, columns, values = zip(*entries, strict=True)
    return sp.csr_matrix((values, (rows, columns)), shape=(len(examples), len(places)))
