from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.core.response_names import RESPONSES
from libra.store.sums.cell_sums import MEAN_OUTCOMES, CellSums
from libra.store.sums.label_sums import LabelSums, merge_labels
from libra.v1.verdict_pb2 import Outcome

outcomes = st.sampled_from(Outcome.values()[1:])


responses = st.sampled_from(["", *RESPONSES])


labels = st.sampled_from(["", "yes", "no", "1.5 $x%"])


def to_bucket(sums: CellSums) -> dict[str, Any]:
    """Return the document that the increments of these sums make: a path with a dot is that of a nested field."""
    document: dict[str, Any] = {}
    for path, value in sums.to_increments().items():
        *parents, name = path.split(".")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = value
    return document


@given(st.lists(st.tuples(outcomes, st.floats(0, 1), responses, labels)))
def test_adding_verdicts_one_by_one_equals_adding_them_by_outcome(
    verdicts: list[tuple[int, float, str, str]],
) -> None:
    one_by_one = CellSums()
    by_outcome: dict[tuple[int, str, str], dict[str, Any]] = {}
    for outcome, score, response, label in verdicts:
        one_by_one.add(outcome, score, response, label)
        key = {"outcome": outcome, "response": response, "label": label}
        sums = by_outcome.setdefault((outcome, response, label), {"_id": key, "n": 0, "sum": 0.0, "sum_squares": 0.0})
        sums["n"] += 1
        sums["sum"] += score
        sums["sum_squares"] += score * score
    together = CellSums.from_outcomes(by_outcome.values())
    assert together.sum == pytest.approx(one_by_one.sum)
    assert together.sum_squares == pytest.approx(one_by_one.sum_squares)
    assert together.n == one_by_one.n == sum(outcome in MEAN_OUTCOMES for outcome, *_ in verdicts)
    assert together.total == one_by_one.total == len(verdicts)
    counted = Counter(response for _, _, response, _ in verdicts)
    filtered = [score for outcome, score, *_ in verdicts if outcome == Outcome.OUTCOME_FILTERED]
    for summed in (one_by_one, together):
        assert summed.classified == len(verdicts)
        assert summed.refused_by_model == counted["refused"]
        assert (summed.blocked_input, summed.blocked_output) == (counted["blocked_input"], counted["blocked_output"])
        assert (summed.truncated, summed.tool_calls) == (counted["truncated"], counted["tool_calls"])
        assert summed.filtered_n == summed.filtered == len(filtered)
        assert summed.filtered_sum == pytest.approx(math.fsum(filtered))
    bucket = to_bucket(one_by_one)
    stored = CellSums.from_document(bucket | {"labels": [bucket["labels"]] if "labels" in bucket else []})
    assert stored == one_by_one


@given(st.lists(st.tuples(outcomes, st.floats(0, 1), labels)))
def test_each_gold_label_has_the_sums_of_its_verdicts_that_count(verdicts: list[tuple[int, float, str]]) -> None:
    sums = CellSums()
    for outcome, score, label in verdicts:
        sums.add(outcome, score, label=label)
    for label, found in sums.labels.items():
        own = [(outcome, score) for outcome, score, own_label in verdicts if own_label == label]
        counted = [(outcome, score) for outcome, score in own if outcome in MEAN_OUTCOMES]
        assert label
        assert found.n == len(counted)
        assert found.sum == pytest.approx(math.fsum(score for _, score in counted))
        assert found.sum_squares == pytest.approx(math.fsum(score * score for _, score in counted))
        assert found.filtered == sum(outcome == Outcome.OUTCOME_FILTERED for outcome, _ in counted)
    assert sum(found.n for found in sums.labels.values()) <= sums.n


def test_a_cell_without_gold_labels_and_filtered_answers_stores_no_fields_for_them() -> None:
    sums = CellSums()
    sums.add(Outcome.OUTCOME_SCORED, 1.0)
    assert not [path for path in sums.to_increments() if "label" in path or path.startswith("filtered_")]


def test_the_buckets_of_a_cell_are_added_by_label() -> None:
    one, other = CellSums(), CellSums()
    one.add(Outcome.OUTCOME_SCORED, 1.0, label="v1.5")
    one.add(Outcome.OUTCOME_FILTERED, 1.0, label="v1.5")
    other.add(Outcome.OUTCOME_SCORED, 0.5, label="v1.5")
    other.add(Outcome.OUTCOME_SCORED, 0.0, label="$no")
    assert merge_labels([to_bucket(one)["labels"], to_bucket(other)["labels"]]) == {
        "$no": LabelSums(1, 0.0, 0.0),
        "v1.5": LabelSums(3, 2.5, 2.25, 1, 1.0),
    }


def test_an_unspecified_outcome_is_rejected() -> None:
    with pytest.raises(KeyError):
        CellSums().add(Outcome.OUTCOME_UNSPECIFIED, 1.0)
