"""Rate votes with the package arena-rank: `python arena_rank_reference.py < counts.json > ratings.json`.

It runs in an environment of its own, because arena-rank needs jax (see INSTALL in arena_ratings.py).

The input has `models` and `counts`, a list of [position A, position B, outcome, times] with the values of Outcome. The
output has the input, `version`, `ratings` and `variances` on the scale of arena-rank (400 points are odds of 10 to 1)
in the order of models, and the seconds for the data set and for the ratings, each the second time in one process.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from importlib.metadata import version

import numpy as np

WINNERS = np.array(["model_a", "model_b", "tie", "both_bad"])


def main() -> None:
    # By name, since the type checker of this project does not have these packages.
    rating_system = import_module("arena_rank.models.bradley_terry").BradleyTerry
    pair_dataset = import_module("arena_rank.utils.data_utils").PairDataset
    given = json.load(sys.stdin)
    first, second, outcome, times = np.array(given["counts"]).T
    rows = {"model_a": first, "model_b": second, "winner": WINNERS[outcome]}
    frame = import_module("pandas").DataFrame({name: np.repeat(values, times) for name, values in rows.items()})
    for _ in range(2):
        start = time.perf_counter()
        dataset = pair_dataset.from_pandas(frame)
        counted = time.perf_counter()
        results = rating_system(n_competitors=len(dataset.competitors)).compute_ratings_and_cis(dataset)
        fitted = time.perf_counter()
    order = np.argsort(np.asarray(results["competitors"]))
    output = {
        **given,
        "version": version("arena-rank"),
        "ratings": np.asarray(results["ratings"])[order].round(3).tolist(),
        "variances": np.asarray(results["variances"])[order].round(4).tolist(),
        "dataset_seconds": counted - start,
        "rating_seconds": fitted - counted,
    }
    json.dump(output, sys.stdout)


if __name__ == "__main__":
    main()
