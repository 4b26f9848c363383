"""Fit the weights by which the refusal judge reads the wording of answers, and report how often they are right.

Usage: python -m tests.refusal_model.fit [--write] XSTEST_CSV...
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tests.refusal_model.linear_model import Example, LinearModel, example_of, fit
from tests.refusal_model.rows import Row, background_rows, project_rows, xstest_rows

import libra.judge.refusal_detection

WEIGHTS = Path(libra.judge.refusal_detection.__file__).parent / "data" / "wording_weights.json"
FOLDS = 10
DIGITS = 3

Fold = tuple[int, str]
"""The number of a fold, and the source that is left out with it; empty if none is."""


def main(arguments: Sequence[str]) -> None:
    """Cross-validate, and write the weights if asked to."""
    published = [row for path in arguments if path != "--write" for row in xstest_rows(Path(path))]
    rows = [*published, *project_rows(), *background_rows()]
    examples, labels = [example_of(row) for row in rows], np.array([row.refuses for row in rows])
    by_rules = np.array([example.refuses or example.ignores for example in examples])
    _report("rules alone", rows, labels, by_rules)
    folds: list[Fold] = [(_fold_of(row), "") for row in rows]
    _report("cross-validated by prompt", rows, labels, _cross_validate(folds, examples, labels))
    folds = [(_fold_of(row), row.source if place < len(published) else "") for place, row in enumerate(rows)]
    _report("by prompt and by model", published, labels, _cross_validate(folds, examples, labels))
    if "--write" in arguments:
        _write(fit(examples, labels))


def _fold_of(row: Row) -> int:
    """Return the fold of a row: all answers to one prompt are in the same."""
    return zlib.crc32(row.request.encode()) % FOLDS


def _cross_validate(folds: list[Fold], examples: list[Example], labels: np.ndarray) -> np.ndarray:
    """Return what is decided about each row by a model that was fitted to no row of its fold, nor of its source."""
    decided = np.zeros(len(folds), dtype=bool)
    for fold in sorted(set(folds)):
        held_out = [place for place, found in enumerate(folds) if found == fold]
        used = [
            place for place, found in enumerate(folds) if found[0] != fold[0] and (found[1] != fold[1] or not fold[1])
        ]
        model = fit([examples[place] for place in used], labels[used])
        for place, score in zip(held_out, model.scores([examples[place] for place in held_out]), strict=True):
            example = examples[place]
            decided[place] = example.ignores or (score > 0 if example.is_for_wording else example.refuses)
    return decided


def _report(name: str, rows: list[Row], labels: np.ndarray, decided: np.ndarray) -> None:
    for source in dict.fromkeys(row.source for row in rows):
        places = [place for place, row in enumerate(rows) if row.source == source]
        accuracy, kappa = _agreement(labels[places], decided[places])
        sys.stdout.write(f"{name}, {source}: accuracy {accuracy:.3f}, kappa {kappa:.3f} on {len(places)} rows\n")


def _agreement(labels: np.ndarray, decided: np.ndarray) -> tuple[float, float]:
    observed = float(np.mean(labels == decided))
    if labels.all() or not labels.any():
        return observed, float("nan")
    by_chance = float(labels.mean() * decided.mean() + (1 - labels.mean()) * (1 - decided.mean()))
    return observed, (observed - by_chance) / (1 - by_chance)


def _write(model: LinearModel) -> None:
    weights = {name: round(float(model.weights[place]), DIGITS) for name, place in model.places.items()}
    weights[""] = round(float(model.weights[-1]), DIGITS)
    kept = {name: weight for name, weight in sorted(weights.items()) if weight or not name}
    WEIGHTS.write_text(json.dumps(kept, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(kept)} weights written to {WEIGHTS.name}, {WEIGHTS.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
