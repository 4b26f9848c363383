from __future__ import annotations

from itertools import pairwise

import pytest

from libra.core.errors import Invalid
from libra.ranking.labels.label_draw import draw_size, draw_trials
from libra.ranking.labels.label_import import check_draw, check_labels
from libra.v1.label_pb2 import Label

RUN = "01JZ0000000000000000000000"
IDS = [f"{RUN}/0/m/t@1/none/{sample:08d}/0000" for sample in range(200)]


def test_a_larger_draw_contains_every_smaller_one() -> None:
    draws = [set(draw_trials(IDS, size).trials) for size in (1, 10, 50, 199, 200, 500)]
    assert [len(each) for each in draws] == [1, 10, 50, 199, 200, 200]
    assert all(small <= large for small, large in pairwise(draws))


def test_a_draw_is_the_same_in_any_order_and_has_its_inclusion_probability() -> None:
    draw = draw_trials(IDS, 30)
    assert draw == draw_trials(IDS[::-1], 30)
    assert list(draw.trials) == sorted(draw.trials)
    assert draw.inclusion_probability == 0.15
    assert draw_size(draw.inclusion_probability, len(IDS)) == 30
    assert draw_trials(IDS, 500).inclusion_probability == 1


def test_every_trial_is_drawn_as_often_as_any_other() -> None:
    """Over 400 runs, a trial is in 25 % of the draws; five standard errors are 11 points."""
    counts = dict.fromkeys(range(20), 0)
    for run in range(400):
        ids = [f"{run:026d}/0/m/t@1/none/{sample:08d}/0000" for sample in range(20)]
        for trial in draw_trials(ids, 5).trials:
            counts[ids.index(trial)] += 1
    assert all(0.14 < count / 400 < 0.36 for count in counts.values())


def labels(*trials: str, **fields: object) -> list[Label]:
    given: dict[str, object] = {"score": 1.0, "author": "ann", "inclusion_probability": 0.15, **fields}
    return [Label(trial=trial, **given) for trial in trials]  # type: ignore[arg-type]  # fields of any kind


def test_a_label_that_claims_to_be_drawn_must_be_in_the_draw() -> None:
    drawn = draw_trials(IDS, 30)
    check_draw(list(enumerate(labels(*drawn.trials))), IDS)
    other = next(each for each in IDS if each not in drawn.trials)
    with pytest.raises(Invalid, match="not among the 30 of 200 trials") as caught:
        check_draw(list(enumerate(labels(drawn.trials[0], other))), IDS)
    assert caught.value.field == "labels[1].inclusion_probability"
    check_draw(list(enumerate(labels(other, inclusion_probability=0))), IDS)


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ([], "labels", "1 to 10,000"),
        (labels(IDS[0], IDS[0]), "labels[1].trial", "has a label already"),
        (labels("what"), "labels[0].trial", "not a verdict's id"),
        (labels(IDS[0].replace(RUN, "01JZ0000000000000000000009")), "labels[0].trial", "not a trial of the run"),
        (labels(IDS[0], score=1.5), "labels[0].score", "not between 0 and 1"),
        (labels(IDS[0], score=float("nan")), "labels[0].score", "not between 0 and 1"),
        (labels(IDS[0], inclusion_probability=-0.1), "labels[0].inclusion_probability", "not between 0 and 1"),
        (labels(IDS[0], author=" "), "labels[0].author", "name who gave"),
    ],
    ids=["none", "twice", "no id", "other run", "above 1", "not a number", "negative", "no author"],
)
def test_a_label_with_a_bad_field_is_refused(given: list[Label], field: str, message: str) -> None:
    with pytest.raises(Invalid, match=message) as caught:
        check_labels(given, RUN)
    assert caught.value.field == field
