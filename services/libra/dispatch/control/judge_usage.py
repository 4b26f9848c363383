"""Finds what judges used for stored trials of the sections of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from libra.dispatch.spec.run_spec import ResolvedSpec
from libra.store.client import Store
from libra.store.runs import FINISHED, RunRecord, RunSection
from libra.store.sums.judge_usage import JudgeUsageSums, SectionKey


@dataclass(frozen=True, slots=True)
class StoredJudgeUsage:
    """The usage of the newest runs that have it."""

    by_model: Mapping[SectionKey, JudgeUsageSums] = field(default_factory=dict)
    by_section: Mapping[tuple[str, str], JudgeUsageSums] = field(default_factory=dict)
    """By task and attack, over the models under test of one run."""

    def find(self, model: str, section: RunSection) -> JudgeUsageSums | None:
        """Return the usage for trials of this model, else for those of other models; None without any."""
        task, attack = section.task, section.attack
        return self.by_model.get((model, task, attack)) or self.by_section.get((task, attack))


async def find_judge_usage(store: Store, resolved: ResolvedSpec, records: Sequence[RunRecord]) -> StoredJudgeUsage:
    """Return the usage for the sections of a spec in earlier runs, the newest first, with the same judge and models."""
    by_model: dict[SectionKey, JudgeUsageSums] = {}
    by_section: dict[tuple[str, str], JudgeUsageSums] = {}
    missing = {(model, section.task, section.attack) for model in resolved.spec.models for section in resolved.sections}
    for record in records:
        keys = {(section.task, section.attack) for section in _same_sections(record, resolved)}
        tasks = {task for _, task, attack in missing if (task, attack) in keys}
        if not tasks:
            continue
        totals: dict[tuple[str, str], JudgeUsageSums] = {}
        for (model, task, attack), sums in (await store.judge_usage.load(record.run.id, tasks)).items():
            if (task, attack) not in keys or not sums.is_known:
                continue
            by_model.setdefault((model, task, attack), sums)
            totals.setdefault((task, attack), JudgeUsageSums()).add(sums.trials, sums.models.values())
        by_section = totals | by_section
        missing -= by_model.keys()
    return StoredJudgeUsage(by_model, by_section)


def _same_sections(record: RunRecord, resolved: ResolvedSpec) -> list[RunSection]:
    """Return the sections of a run that are judged as those of the spec: by an equal judge, and by the same models."""
    if record.run.state != FINISHED or record.run.spec.judge_model != resolved.spec.judge_model:
        return []
    wanted = {(section.task, section.attack): section.judge for section in resolved.sections}
    return [section for section in record.sections if wanted.get((section.task, section.attack)) == section.judge]
