from __future__ import annotations

import math
import random
from array import array
from collections.abc import Sequence
from statistics import NormalDist, mean, stdev

import pytest

from libra.ranking.comparison.comparison import of_scores, of_tasks
from libra.ranking.comparison.pairing import Pair
from libra.store.sample_sums import SampleSums
from libra.v1.ranking_pb2 import Capability, Comparison
from libra.v1.task_pb2 import Category

RISKY, HIDDEN, ABLE = Category.CATEGORY_DIRECT_RISKY, Category.CATEGORY_ADVERSARIAL, Category.CATEGORY_CAPABILITY
NOBODY = (None, None)


def sums(scores: Sequence[float], trials: int = 1) -> SampleSums:
    return SampleSums(
        array("i", range(len(scores))),
        array("i", [trials] * len(scores)),
        array("d", [score * trials for score in scores]),
    )


def pair(
    one: Sequence[float], other: Sequence[float], *, label: str = "harm", category: int = RISKY, trials: int = 1
) -> Pair:
    task = label.partition("+")[0] + "@1"
    return Pair(label, task, category, sums(one, trials), sums(other, trials))


def summary(
    pairs: Sequence[Pair], figures: tuple[Capability | None, Capability | None] = NOBODY, *, same: bool = False
) -> dict[str, Comparison]:
    return {each.what: each for each in of_scores(pairs, figures, same_model=same)}


def differences(one: Sequence[float], other: Sequence[float]) -> list[float]:
    return [mine - theirs for mine, theirs in zip(one, other, strict=True)]


# 9 samples only the one got right, 2 only the other, 20 both, 5 neither.
ONE = [1] * 9 + [0] * 2 + [1] * 20 + [0] * 5
OTHER = [0] * 9 + [1] * 2 + [1] * 20 + [0] * 5


def test_scores_of_0_and_1_are_tested_by_mcnemar_exactly() -> None:
    [task] = of_tasks([pair(ONE, OTHER)])
    assert (task.what, task.samples, task.test) == ("harm", 36, "mcnemar")
    assert (task.score, task.other_score) == (29 / 36, 22 / 36)
    assert task.difference.value == pytest.approx(7 / 36)
    assert task.difference.n == 72
    assert task.difference.standard_error == pytest.approx(stdev(differences(ONE, OTHER)) / 6)
    assert task.difference.low < 7 / 36 < task.difference.high
    assert task.p == pytest.approx(2 * (1 + 11 + 55) / 2**11)
    assert task.p_holm == task.p


def test_a_difference_is_turned_round_with_the_two() -> None:
    [there], [back] = of_tasks([pair(ONE, OTHER)]), of_tasks([pair(OTHER, ONE)])
    assert back.difference.value == -there.difference.value
    assert back.difference.low == pytest.approx(-there.difference.high)
    assert (back.p, back.score) == (there.p, there.other_score)


@pytest.mark.parametrize("trials", [1, 3])
def test_other_scores_are_tested_by_permuting_signs(trials: int) -> None:
    one, other = [0.75, 0.5, 1.0, 0.75, 0.5], [0.5, 0.25, 0.75, 0.5, 0.25]
    [task] = of_tasks([pair(one, other, trials=trials)])
    assert task.test == "permutation"
    assert task.difference.value == pytest.approx(0.25)
    assert task.p == pytest.approx(2 / 2**5)
    assert task.difference.n == 10 * trials


@pytest.mark.parametrize("score", [1, 0.5])
def test_epochs_of_0_and_1_are_no_case_for_mcnemar(score: float) -> None:
    [task] = of_tasks([pair([score, score, score, 0], [0, 0, 0, 0], trials=2)])
    assert task.test == "permutation"
    assert task.p == pytest.approx(2 / 2**3)


def test_signs_are_those_of_the_samples_means() -> None:
    # Sample by sample the one is better, though the other has the larger sums: it has more trials.
    more = SampleSums(array("i", range(5)), array("i", [4] * 5), array("d", [2.0] * 5))
    [task] = of_tasks([Pair("harm", "harm@1", RISKY, sums([1] * 5), more)])
    assert task.difference.value == pytest.approx(0.5)
    assert task.p == pytest.approx(2 / 2**5)
    uneven = SampleSums(array("i", range(5)), array("i", [1, 2, 4, 8, 16]), array("d", [0.5, 1.0, 2.0, 4.0, 8.0]))
    [task] = of_tasks([Pair("harm", "harm@1", RISKY, sums([1, 1, 1, 1, 0]), uneven)])
    # Differences of 1/2, 1/2, 1/2, 1/2 and -1/2: 12 of 32 choices of signs come as far.
    assert task.p == pytest.approx(12 / 32)


def test_holm_corrects_over_all_tasks() -> None:
    tasks = of_tasks(
        [
            pair([1] * 10 + [0] * 10, [0] * 20, label="a"),  # p = 2 / 1024
            pair([1] * 6 + [0] * 10, [0] * 16, label="b"),  # p = 2 / 64
            pair([1] * 8, [1] * 8, label="c"),
        ]
    )
    assert [task.p for task in tasks] == pytest.approx([2 / 1024, 2 / 64, 1])
    assert [task.p_holm for task in tasks] == pytest.approx([6 / 1024, 4 / 64, 1])


def test_means_are_unweighted_and_their_errors_paired() -> None:
    big, small = ([1, 1, 1, 0, 1, 0, 1, 1], [0, 1, 1, 0, 0, 0, 1, 0]), ([1, 0, 1], [0, 0, 1])
    hidden = ([1, 0, 0, 0], [0, 0, 1, 0])
    found = summary([pair(*big, label="big"), pair(*small, label="small"), pair(*hidden, label="x", category=HIDDEN)])
    assert list(found) == ["safety", "direct_risky", "adversarial"]
    by_task = [mean(differences(*big)), mean(differences(*small))]
    errors = [stdev(differences(*each)) / math.sqrt(len(each[0])) for each in (big, small, hidden)]
    risky = found["direct_risky"]
    assert risky.difference.value == pytest.approx(mean(by_task))
    assert risky.difference.standard_error == pytest.approx(math.hypot(*errors[:2]) / 2)
    assert (risky.samples, risky.test, risky.HasField("p_holm")) == (11, "normal", False)
    safety = found["safety"]
    assert safety.difference.value == pytest.approx((mean(by_task) + mean(differences(*hidden))) / 2)
    assert safety.difference.standard_error == pytest.approx(math.hypot(errors[0] / 2, errors[1] / 2, errors[2]) / 2)
    assert safety.samples == 15


def test_attacks_on_the_same_samples_are_not_taken_for_independent() -> None:
    one, other = ([1, 1, 0, 1, 0, 1], [1, 0, 0, 1, 0, 0]), ([1, 1, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0])
    found = summary([pair(*one, label="harm+a", category=HIDDEN), pair(*other, label="harm+b", category=HIDDEN)])
    by_sample = [mean(each) for each in zip(differences(*one), differences(*other), strict=True)]
    hidden = found["adversarial"]
    assert hidden.samples == 6
    assert hidden.difference.value == pytest.approx(mean(by_sample))
    assert hidden.difference.standard_error == pytest.approx(stdev(by_sample) / math.sqrt(6))


def test_overall_goes_by_the_distance_on_what_is_shared() -> None:
    able = pair([1, 1, 1, 0], [1, 0, 1, 0], label="math", category=ABLE)
    found = summary([pair([1, 0, 1, 1, 0], [0, 0, 1, 1, 0]), able])
    assert list(found) == ["overall", "safety", "capability", "direct_risky"]
    overall = found["overall"]
    assert overall.score == pytest.approx(1 - math.sqrt((0.25**2 + 0.4**2) / 2))
    assert overall.other_score == pytest.approx(1 - math.sqrt((0.5**2 + 0.6**2) / 2))
    assert overall.difference.value == pytest.approx(overall.score - overall.other_score)
    assert overall.samples == 9


def test_p_and_what_can_be_found_go_by_the_interval() -> None:
    safety = summary([pair(ONE, OTHER)])["safety"]
    ends, normal = safety.difference, NormalDist()
    z = normal.inv_cdf(0.975)
    reach = (ends.value - ends.low) / z
    assert safety.p == pytest.approx(2 * normal.cdf(-ends.value / reach))
    assert (safety.p < 0.05) == (ends.low > 0)
    half = (ends.high - ends.low) / 2 / z
    assert safety.detectable == pytest.approx((z + normal.inv_cdf(0.8)) * half)


def test_samples_that_all_go_one_way_are_no_proof_by_themselves() -> None:
    safety = summary([pair([0] * 3, [1] * 3)])["safety"]
    assert safety.difference.standard_error == 0
    assert safety.difference.high > -1
    assert 0 < safety.p < 1
    assert safety.detectable > 0


def figure(value: float, error: float | None = None, scale: str = "elo") -> Capability:
    return Capability(model="m", value=value, standard_error=error, scale=scale, zero=800, one=1500)


def test_imported_figures_stand_in_for_capability_tasks() -> None:
    harm = pair(ONE, OTHER)
    found = summary([harm], (figure(0.75, 0.03), figure(0.5, 0.04)))
    assert found["capability"].difference.value == pytest.approx(0.25)
    assert found["capability"].difference.standard_error == pytest.approx(0.05)
    assert found["overall"].samples == found["safety"].samples == 36
    assert found["overall"].score == pytest.approx(1 - math.sqrt((0.25**2 + (7 / 36) ** 2) / 2))
    unsure = summary([harm], (figure(0.75), figure(0.5, 0.04)))
    assert not unsure["overall"].HasField("p")
    assert not unsure["overall"].difference.HasField("low")
    assert "overall" not in summary([harm], (figure(0.75), figure(0.5, scale="mmlu")))
    assert "overall" not in summary([harm], (figure(0.75), None))


def test_of_one_model_an_imported_figure_is_the_same_on_both_sides() -> None:
    found = summary([pair(ONE, OTHER)], (figure(0.75), figure(0.75)), same=True)
    assert found["capability"].difference.value == 0
    overall, safety = found["overall"], found["safety"]
    assert overall.difference.value > 0
    assert overall.HasField("p")
    # What is not known of the figure is the same on both sides: only safety's error is left, along the same gradients.
    slope = overall.difference.value / safety.difference.value
    assert overall.difference.low == pytest.approx(slope * safety.difference.low, abs=0.03)
    assert overall.difference.high == pytest.approx(slope * safety.difference.high, abs=0.03)


def release(draw: random.Random, difficulty: Sequence[float], drop: float) -> list[int]:
    return [int(draw.random() < chance - drop) for chance in difficulty]


def test_a_release_that_is_the_same_is_called_worse_no_oftener_than_promised() -> None:
    draw, found = random.Random(4), []
    for _ in range(400):
        tasks = [[draw.betavariate(4, 1) for _ in range(40)] for _ in range(3)]
        pairs = [pair(release(draw, task, 0), release(draw, task, 0), label=f"t{n}") for n, task in enumerate(tasks)]
        safety = summary(pairs)["safety"]
        found.append((safety.p < 0.05, safety.difference.low <= 0 <= safety.difference.high))
    assert 0.02 <= mean(wrong for wrong, _ in found) <= 0.08
    assert all(wrong != covered for wrong, covered in found)


def test_a_drop_as_large_as_can_be_found_is_found_four_times_in_five() -> None:
    draw, found, drops = random.Random(5), [], []
    for _ in range(300):
        tasks = [[0.15 + 0.8 * draw.betavariate(4, 1) for _ in range(60)] for _ in range(3)]
        pairs = [pair(release(draw, task, 0.1), release(draw, task, 0), label=f"t{n}") for n, task in enumerate(tasks)]
        safety = summary(pairs)["safety"]
        found.append(safety.p < 0.05 and safety.difference.value < 0)
        drops.append(safety.detectable)
    # What is detectable says how often this drop is found: shift it to where 80 % are.
    power = NormalDist().cdf(0.1 / (mean(drops) / (1.96 + 0.8416)) - 1.96)
    assert mean(found) == pytest.approx(power, abs=0.07)
