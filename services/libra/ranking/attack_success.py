"""Further measures of attacks: success within k tries, the worst case over attacks, and transfer between models."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations

from libra.core.attack_fields import NOTHING
from libra.core.attack_names import PLAIN
from libra.ranking.board.board_proto import estimate_to_proto
from libra.ranking.board.scores import mean_score
from libra.statistics.influence import mean
from libra.statistics.score import TrialsBySample
from libra.statistics.success_at_k import success_at_k
from libra.store.reports.attack_outcomes import AttackOutcomes
from libra.store.sums.cells import CellKey
from libra.v1.ranking_pb2 import SuccessAtK, Transfer, WorstCase

TRIES = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000)
"""The values of k that are shown, as far as the samples have as many trials."""

Outcomes = Mapping[CellKey, AttackOutcomes]
Sample = tuple[str, int]
"""A task as "name@version", and an ordinal."""


def successes_at_k(by_task: Mapping[str, AttackOutcomes]) -> Iterator[SuccessAtK]:
    """Yield the success within k tries, for each k up to the trials of most samples; none for a single trial."""
    trials = max((max(outcomes.sums.counts, default=0) for outcomes in by_task.values()), default=0)
    for k in sorted({k for k in TRIES if k < trials} | {trials}) if trials > 1 else ():
        scores = (
            success_at_k(task, each.sums.ordinals, each.sums.counts, each.broken, k) for task, each in by_task.items()
        )
        yield SuccessAtK(k=k, success=estimate_to_proto(mean_score(scores)))


def worst_cases(outcomes: Outcomes) -> Iterator[WorstCase]:
    """Yield, for each model under at least two attacks, the share of samples that any of the attacks broke."""
    by_model: defaultdict[str, list[CellKey]] = defaultdict(list)
    for key in outcomes:
        if key[3] != PLAIN:
            by_model[key[1]].append(key)
    for model, keys in sorted(by_model.items()):
        attacks = sorted({attack for _, _, _, attack in keys})
        if len(attacks) < 2:  # noqa: PLR2004 - the worst of one attack is that attack
            continue
        hits = worst_by_sample((key[2], outcomes[key]) for key in keys)
        success = estimate_to_proto(mean_score(mean(section) for section in _sections(hits)))
        yield WorstCase(model=model, attacks=attacks, samples=len(hits), success=success)


def worst_by_sample(cells: Iterable[tuple[str, AttackOutcomes]]) -> dict[Sample, bool]:
    """Return for each sample of these tasks whether any trial of it is broken."""
    hits: dict[Sample, bool] = {}
    for task, outcomes in cells:
        for ordinal, broken in zip(outcomes.sums.ordinals, outcomes.broken, strict=True):
            hits[task, ordinal] = hits.get((task, ordinal), False) or broken > 0
    return hits


def transfers(outcomes: Outcomes) -> Iterator[Transfer]:
    """Yield, for each attack and pair of models, the share of the samples broken on one that are broken on the other.

    Only samples with a score on both count. Their interval is that of a proportion of independent samples.
    """
    by_attack: defaultdict[str, defaultdict[str, dict[Sample, bool]]] = defaultdict(lambda: defaultdict(dict))
    for (_, model, task, attack), each in outcomes.items():
        if attack != PLAIN:
            by_attack[attack][model] |= worst_by_sample([(task, each)])
    for attack, by_model in sorted(by_attack.items()):
        for source, target in permutations(sorted(by_model), 2):
            hits = [
                by_model[target][sample]
                for sample, hit in by_model[source].items()
                if hit and sample in by_model[target]
            ]
            share = mean(_pooled(hits))
            if share is not None:
                yield Transfer(
                    attack=attack, source=source, target=target, broken=len(hits), share=estimate_to_proto(share)
                )


def _sections(hits: Mapping[Sample, bool]) -> Iterator[TrialsBySample]:
    by_task: defaultdict[str, list[tuple[int, bool]]] = defaultdict(list)
    for (task, ordinal), hit in sorted(hits.items()):
        by_task[task].append((ordinal, hit))
    for task, samples in by_task.items():
        yield TrialsBySample(
            task, [ordinal for ordinal, _ in samples], [1] * len(samples), [float(hit) for _, hit in samples]
        )


def _pooled(hits: Sequence[bool]) -> TrialsBySample:
    """Return samples of several tasks as those of one: a task on which few samples were broken has little weight."""
    return TrialsBySample("", range(len(hits)), [1] * len(hits), [float(hit) for hit in hits])


def measure_notes(outcomes: Outcomes) -> Iterator[str]:
    """Yield how many trials of each attack were left unchanged, and what measured them in place of the task's judge."""
    unchanged, judged_by = Counter[str](), Counter[tuple[str, str]]()
    for (_, _, _, attack), each in outcomes.items():
        unchanged[attack] += each.unchanged
        for judge, count in each.judged_by.items():
            judged_by[attack, judge] += count
    for attack, count in sorted(unchanged.items()):
        if count:
            yield f"{attack}: {count:,} trials do not count, since the attack left their prompts as they were"
    for (attack, judge), count in sorted(judged_by.items()):
        if judge == NOTHING:
            yield (
                f"{attack}: {count:,} trials are UNJUDGED because the attack rewrites the request and no judge model "
                "measured its aim; `libra rejudge RUN --judge harm --judge-model NAME` does"
            )
        else:
            yield f"{attack}: the success of {count:,} trials was measured by the aim, by {judge}"
