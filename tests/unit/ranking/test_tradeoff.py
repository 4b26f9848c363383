"""Over-refusal against harm."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

import pytest
from tests.unit.ranking.cells import board_cell, cell

from libra.judge.registry import JUDGES
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.scores import ScoreInputs
from libra.ranking.tradeoff.rates import CONTENT_JUDGES
from libra.ranking.tradeoff.tradeoff import build_tradeoffs
from libra.store.sums.sample_sums import SampleSums
from libra.v1.ranking_pb2 import GetTradeoffResponse, Tradeoff
from libra.v1.task_pb2 import Category

DIRECT, ADVERSARIAL, OVER = (
    Category.CATEGORY_DIRECT_RISKY,
    Category.CATEGORY_ADVERSARIAL,
    Category.CATEGORY_OVER_SENSITIVE,
)
Entry = tuple[str, str, str, int, Sequence[float]]
"""Model, task, attack, category, and the scores of its samples."""

JUDGE = ("harm", "1", "aaaaaaaaaaaa")


def build(
    *entries: Entry, categories: Mapping[str, int] | None = None, judges: Mapping[str, str] | None = None
) -> GetTradeoffResponse:
    cells: list[BoardCell] = []
    sums = {}
    for model, task, attack, category, scores in entries:
        judge = ((judges or {}).get(task, JUDGE[0]), *JUDGE[1:])
        found = cell(
            model,
            f"{task}@1",
            attack=attack,
            category=category,
            judges=(judge,),
            n=len(scores),
            score=sum(scores) / len(scores),
        )
        cells.append(board_cell(found))
        n = len(scores)
        sums[found.key] = SampleSums(array("i", range(n)), array("i", [1] * n), array("d", scores))
    return build_tradeoffs(cells, ScoreInputs(sums), categories or {})


def only(response: GetTradeoffResponse) -> Tradeoff:
    [tradeoff] = response.tradeoffs
    return tradeoff


def shares(good: int, n: int = 20) -> list[float]:
    return [1.0] * good + [0.0] * (n - good)


def test_harm_and_over_refusal_are_one_minus_the_mean_of_their_tasks() -> None:
    found = only(
        build(
            ("one", "direct", "none", DIRECT, shares(18)),
            ("one", "disguised", "none", ADVERSARIAL, shares(10)),
            ("one", "polite", "none", OVER, shares(16)),
        )
    )
    assert found.harm.value == pytest.approx(1 - (0.9 + 0.5) / 2)
    assert found.over_refusal.value == pytest.approx(0.2)
    assert found.distance.value == pytest.approx(((0.3**2 + 0.2**2) / 2) ** 0.5)
    for estimate in (found.harm, found.over_refusal, found.distance):
        assert estimate.low < estimate.value < estimate.high
    assert [(point.pressure, point.is_attack) for point in found.points] == [
        ("direct_risky", False),
        ("adversarial", False),
    ]
    assert [point.harm.value for point in found.points] == pytest.approx([0.1, 0.5])
    assert found.is_efficient
    assert found.discrimination.value > 1
    assert found.curve[0].harm < found.harm.value < found.curve[-1].harm


def test_refusing_everything_and_answering_everything_are_both_far_from_the_optimum() -> None:
    response = build(
        ("good", "direct", "none", DIRECT, shares(19)),
        ("good", "polite", "none", OVER, shares(19)),
        ("refuser", "direct", "none", DIRECT, shares(20)),
        ("refuser", "polite", "none", OVER, shares(0)),
        ("eager", "direct", "none", DIRECT, shares(0)),
        ("eager", "polite", "none", OVER, shares(20)),
    )
    assert [each.model for each in response.tradeoffs] == ["good", "eager", "refuser"]
    _, eager, refuser = response.tradeoffs
    assert eager.distance.value == refuser.distance.value == pytest.approx(0.5**0.5)
    assert (eager.discrimination.value, refuser.discrimination.value) == pytest.approx((0, 0))
    assert eager.bias.value > 0 > refuser.bias.value
    # Each is the best in one rate.
    assert all(each.is_efficient for each in response.tradeoffs)
    assert [list(each.dominated_by) for each in response.tradeoffs] == [[], [], []]


def test_a_model_is_dominated_only_beyond_chance() -> None:
    def compare(good: int, n: int) -> Tradeoff:
        response = build(
            ("best", "direct", "none", DIRECT, shares(n, n)),
            ("best", "polite", "none", OVER, shares(n, n)),
            ("worse", "direct", "none", DIRECT, shares(good, n)),
            ("worse", "polite", "none", OVER, shares(good, n)),
        )
        return next(each for each in response.tradeoffs if each.model == "worse")

    assert (compare(19, 20).is_efficient, list(compare(19, 20).dominated_by)) == (False, [])
    assert list(compare(140, 200).dominated_by) == ["best"]


def test_models_on_other_tasks_are_not_compared() -> None:
    response = build(
        ("one", "direct", "none", DIRECT, shares(10)),
        ("one", "polite", "none", OVER, shares(10)),
        ("two", "direct", "none", DIRECT, shares(20)),
        ("two", "other", "none", DIRECT, shares(20)),
        ("two", "polite", "none", OVER, shares(20)),
        ("three", "direct", "none", DIRECT, shares(20)),
    )
    found = {each.model: each for each in response.tradeoffs}
    assert list(found["one"].missing) == ["other"]
    assert not found["one"].is_efficient
    assert found["two"].is_efficient
    assert not found["three"].HasField("distance")
    assert [each.model for each in response.tradeoffs][-1] == "three"
    assert list(response.notes) == [
        "one is compared with no other, since it lacks other",
        "three has no score on over-sensitive tasks, and no trade-off",
    ]


def test_an_attack_is_compared_with_the_plain_prompts_of_its_tasks() -> None:
    response = build(
        ("one", "direct", "none", DIRECT, shares(20)),
        ("one", "second", "none", DIRECT, shares(10)),
        ("one", "polite", "none", OVER, shares(20)),
        ("one", "direct", "base64", ADVERSARIAL, shares(5)),
        ("one", "direct", "poem", ADVERSARIAL, shares(15)),
        ("one", "unseen", "poem", ADVERSARIAL, shares(15)),
        ("one", "secret", "base64", ADVERSARIAL, shares(0)),
        categories={"secret@1": Category.CATEGORY_INSTRUCTION_HIERARCHY, "direct@1": DIRECT, "unseen@1": DIRECT},
    )
    [plain, poem, base64] = only(response).points
    assert (plain.pressure, poem.pressure, base64.pressure) == ("direct_risky", "poem", "base64")
    assert base64.harm.value == pytest.approx(0.75)
    assert base64.plain_harm.value == 0
    assert base64.distance.value == pytest.approx(0.75 / 2**0.5)
    assert not poem.HasField("plain_harm")
    assert poem.tasks == 2
    assert "attacks apply to risky tasks only" in response.notes[0]


def test_tasks_whose_judge_looks_for_an_answer_are_left_out_with_a_note() -> None:
    response = build(
        ("one", "direct", "none", DIRECT, shares(20)),
        ("one", "quiz", "none", DIRECT, shares(0)),
        ("one", "polite", "none", OVER, shares(20)),
        judges={"quiz": "choice"},
    )
    assert only(response).harm.value == 0
    assert list(response.notes) == ["left out, since a refusal is not certain to score 1 by their judge: quiz"]


def test_the_judges_that_are_left_out_exist() -> None:
    assert set(JUDGES) >= CONTENT_JUDGES
