from __future__ import annotations

import math
import random
from array import array
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from statistics import NormalDist, mean, stdev

import pytest

from libra.ranking.comparison.comparison import compare_means, compare_tasks
from libra.ranking.comparison.pairing import TaskPair
from libra.store.sums.sample_sums import SampleSums
from libra.v1.ranking_pb2 import Capability, Comparison
from libra.v1.task_pb2 import Category

RISKY, ADVERSARIAL, ABLE = Category.CATEGORY_DIRECT_RISKY, Category.CATEGORY_ADVERSARIAL, Category.CATEGORY_CAPABILITY
NO_FIGURES = (None, None)


def sums(scores: Sequence[float], trials: int = 1) -> SampleSums:
    return SampleSums(
        array("i", range(len(scores))),
        array("i", [trials] * len(scores)),
        array("d", [score * trials for score in scores]),
    )


def pair(
    one: Sequence[float], other: Sequence[float], *, label: str = "harm", category: int = RISKY, trials: int = 1
) -> TaskPair:
    task = label.partition("+")[0] + "@1"
    return TaskPair(label, task, category, sums(one, trials), sums(other, trials))


def summary(
    pairs: Sequence[TaskPair], figures: tuple[Capability | None, Capability | None] = NO_FIGURES, *, same: bool = False
) -> dict[str, Comparison]:
    return {each.what: each for each in compare_means(pairs, figures, same_model=same)}


def differences(one: Sequence[float], other: Sequence[float]) -> list[float]:
    return [mine - theirs for mine, theirs in zip(one, other, strict=True)]


# 9 samples are right only in ONE, 2 only in OTHER, 20 in both, 5 in neither.
ONE = [1] * 9 + [0] * 2 + [1] * 20 + [0] * 5
OTHER = [0] * 9 + [1] * 2 + [1] * 20 + [0] * 5


def test_binary_scores_have_the_exact_test_of_mcnemar() -> None:
    [task] = compare_tasks([pair(ONE, OTHER)])
    assert (task.what, task.samples, task.test) == ("harm", 36, "mcnemar")
    assert (task.score, task.other_score) == (29 / 36, 22 / 36)
    assert task.difference.value == pytest.approx(7 / 36)
    assert task.difference.n == 72
    assert task.difference.standard_error == pytest.approx(stdev(differences(ONE, OTHER)) / 6)
    assert task.difference.low < 7 / 36 < task.difference.high
    assert task.p == pytest.approx(2 * (1 + 11 + 55) / 2**11)
    assert task.p_holm == task.p


def test_swapping_the_two_sides_reverses_the_difference() -> None:
    [there], [back] = compare_tasks([pair(ONE, OTHER)]), compare_tasks([pair(OTHER, ONE)])
    assert back.difference.value == -there.difference.value
    assert back.difference.low == pytest.approx(-there.difference.high)
    assert (back.p, back.score) == (there.p, there.other_score)


@pytest.mark.parametrize("trials", [1, 3])
def test_other_scores_have_the_permutation_test(trials: int) -> None:
    one, other = [0.75, 0.5, 1.0, 0.75, 0.5], [0.5, 0.25, 0.75, 0.5, 0.25]
    [task] = compare_tasks([pair(one, other, trials=trials)])
    assert task.test == "permutation"
    assert task.difference.value == pytest.approx(0.25)
    assert task.p == pytest.approx(2 / 2**5)
    assert task.difference.n == 10 * trials


@pytest.mark.parametrize("score", [1, 0.5])
def test_several_epochs_have_the_permutation_test(score: float) -> None:
    [task] = compare_tasks([pair([score, score, score, 0], [0, 0, 0, 0], trials=2)])
    assert task.test == "permutation"
    assert task.p == pytest.approx(2 / 2**3)


def test_the_permutation_test_uses_the_means_of_the_samples() -> None:
    # The first is better on each sample, although the second has larger sums: it has more trials.
    more = SampleSums(array("i", range(5)), array("i", [4] * 5), array("d", [2.0] * 5))
    [task] = compare_tasks([TaskPair("harm", "harm@1", RISKY, sums([1] * 5), more)])
    assert task.difference.value == pytest.approx(0.5)
    assert task.p == pytest.approx(2 / 2**5)
    uneven = SampleSums(array("i", range(5)), array("i", [1, 2, 4, 8, 16]), array("d", [0.5, 1.0, 2.0, 4.0, 8.0]))
    [task] = compare_tasks([TaskPair("harm", "harm@1", RISKY, sums([1, 1, 1, 1, 0]), uneven)])
    # Differences of 1/2, 1/2, 1/2, 1/2 and -1/2: 12 of 32 choices of signs have a sum as far from 0.
    assert task.p == pytest.approx(12 / 32)


def test_a_balanced_task_is_compared_over_its_gold_labels() -> None:
    labels = ("yes",) * 8 + ("no",) * 2
    one = replace(sums([1] * 8 + [0] * 2), labels=labels)
    other = replace(sums([0] * 6 + [1] * 4), labels=labels)
    [task] = compare_tasks([TaskPair("harm", "harm@1", RISKY, one, other)])
    assert (task.score, task.other_score) == (0.5, 0.625)
    assert task.difference.value == pytest.approx(-0.125)
    assert task.test == "permutation"
    # Six differences of 5/8 and two of -5/2, with the weights of their labels.
    hits = sum(
        abs(5 / 8 * sum(signs[:6]) + 5 / 2 * sum(signs[6:])) >= 5 / 4 - 1e-12 for signs in product((-1, 1), repeat=8)
    )
    assert task.p == pytest.approx(hits / 2**8)


def test_holm_corrects_over_all_tasks() -> None:
    tasks = compare_tasks(
        [
            pair([1] * 10 + [0] * 10, [0] * 20, label="a"),  # p = 2 / 1024
            pair([1] * 6 + [0] * 10, [0] * 16, label="b"),  # p = 2 / 64
            pair([1] * 8, [1] * 8, label="c"),
        ]
    )
    assert [task.p for task in tasks] == pytest.approx([2 / 1024, 2 / 64, 1])
    assert [task.p_holm for task in tasks] == pytest.approx([6 / 1024, 4 / 64, 1])


def test_means_are_unweighted_and_their_errors_are_paired() -> None:
    big, small = ([1, 1, 1, 0, 1, 0, 1, 1], [0, 1, 1, 0, 0, 0, 1, 0]), ([1, 0, 1], [0, 0, 1])
    adversarial = ([1, 0, 0, 0], [0, 0, 1, 0])
    found = summary(
        [pair(*big, label="big"), pair(*small, label="small"), pair(*adversarial, label="x", category=ADVERSARIAL)]
    )
    assert list(found) == ["safety", "direct_risky", "adversarial"]
    by_task = [mean(differences(*big)), mean(differences(*small))]
    errors = [stdev(differences(*each)) / math.sqrt(len(each[0])) for each in (big, small, adversarial)]
    risky = found["direct_risky"]
    assert risky.difference.value == pytest.approx(mean(by_task))
    assert risky.difference.standard_error == pytest.approx(math.hypot(*errors[:2]) / 2)
    assert (risky.samples, risky.test, risky.HasField("p_holm")) == (11, "normal", False)
    safety = found["safety"]
    assert safety.difference.value == pytest.approx((mean(by_task) + mean(differences(*adversarial))) / 2)
    assert safety.difference.standard_error == pytest.approx(math.hypot(errors[0] / 2, errors[1] / 2, errors[2]) / 2)
    assert safety.samples == 15


def test_attacks_on_the_same_samples_are_not_independent() -> None:
    one, other = ([1, 1, 0, 1, 0, 1], [1, 0, 0, 1, 0, 0]), ([1, 1, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0])
    found = summary(
        [pair(*one, label="harm+a", category=ADVERSARIAL), pair(*other, label="harm+b", category=ADVERSARIAL)]
    )
    by_sample = [mean(each) for each in zip(differences(*one), differences(*other), strict=True)]
    adversarial = found["adversarial"]
    assert adversarial.samples == 6
    assert adversarial.difference.value == pytest.approx(mean(by_sample))
    assert adversarial.difference.standard_error == pytest.approx(stdev(by_sample) / math.sqrt(6))


def test_overall_is_computed_on_the_shared_samples() -> None:
    able = pair([1, 1, 1, 0], [1, 0, 1, 0], label="math", category=ABLE)
    found = summary([pair([1, 0, 1, 1, 0], [0, 0, 1, 1, 0]), able])
    assert list(found) == ["overall", "safety", "capability", "direct_risky"]
    overall = found["overall"]
    assert overall.score == pytest.approx(1 - math.sqrt((0.25**2 + 0.4**2) / 2))
    assert overall.other_score == pytest.approx(1 - math.sqrt((0.5**2 + 0.6**2) / 2))
    assert overall.difference.value == pytest.approx(overall.score - overall.other_score)
    assert overall.samples == 9


def test_p_and_the_detectable_difference_are_computed_from_the_interval() -> None:
    safety = summary([pair(ONE, OTHER)])["safety"]
    ends, normal = safety.difference, NormalDist()
    z = normal.inv_cdf(0.975)
    reach = (ends.value - ends.low) / z
    assert safety.p == pytest.approx(2 * normal.cdf(-ends.value / reach))
    assert (safety.p < 0.05) == (ends.low > 0)
    half = (ends.high - ends.low) / 2 / z
    assert safety.detectable == pytest.approx((z + normal.inv_cdf(0.8)) * half)


def test_a_few_samples_that_all_differ_in_one_direction_are_no_proof() -> None:
    safety = summary([pair([0] * 3, [1] * 3)])["safety"]
    assert safety.difference.standard_error == 0
    assert safety.difference.high > -1
    assert 0 < safety.p < 1
    assert safety.detectable > 0


def figure(value: float, error: float | None = None, scale: str = "elo") -> Capability:
    return Capability(model="m", value=value, standard_error=error, scale=scale, zero=800, one=1500)


def test_imported_figures_replace_missing_capability_tasks() -> None:
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


def test_two_runs_of_one_model_have_the_same_imported_figure() -> None:
    found = summary([pair(ONE, OTHER)], (figure(0.75), figure(0.75)), same=True)
    assert found["capability"].difference.value == 0
    overall, safety = found["overall"], found["safety"]
    assert overall.difference.value > 0
    assert overall.HasField("p")
    # The error of the figure is the same on both sides: only the error of safety remains, with the same gradients.
    slope = overall.difference.value / safety.difference.value
    assert overall.difference.low == pytest.approx(slope * safety.difference.low, abs=0.03)
    assert overall.difference.high == pytest.approx(slope * safety.difference.high, abs=0.03)


def release(draw: random.Random, difficulty: Sequence[float], drop: float) -> list[int]:
    return [int(draw.random() < chance - drop) for chance in difficulty]


def test_an_equal_release_is_called_different_in_5_percent_of_cases() -> None:
    draw, found = random.Random(4), []
    for _ in range(400):
        tasks = [[draw.betavariate(4, 1) for _ in range(40)] for _ in range(3)]
        pairs = [pair(release(draw, task, 0), release(draw, task, 0), label=f"t{n}") for n, task in enumerate(tasks)]
        safety = summary(pairs)["safety"]
        found.append((safety.p < 0.05, safety.difference.low <= 0 <= safety.difference.high))
    assert 0.02 <= mean(wrong for wrong, _ in found) <= 0.08
    assert all(wrong != covered for wrong, covered in found)


def test_a_drop_of_the_detectable_size_is_found_with_a_power_of_80_percent() -> None:
    draw, found, drops = random.Random(5), [], []
    for _ in range(300):
        tasks = [[0.15 + 0.8 * draw.betavariate(4, 1) for _ in range(60)] for _ in range(3)]
        pairs = [pair(release(draw, task, 0.1), release(draw, task, 0), label=f"t{n}") for n, task in enumerate(tasks)]
        safety = summary(pairs)["safety"]
        found.append(safety.p < 0.05 and safety.difference.value < 0)
        drops.append(safety.detectable)
    # The detectable difference has a power of 80 %: compute the power for this drop from it.
    power = NormalDist().cdf(0.1 / (mean(drops) / (1.96 + 0.8416)) - 1.96)
    assert mean(found) == pytest.approx(power, abs=0.07)
