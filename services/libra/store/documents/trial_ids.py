"""The ids of trials. Ids sort in the order of trials, so that every listing of verdicts is a range of ids."""

from __future__ import annotations

import re
from dataclasses import dataclass

PARTS = 7

SAMPLE_DIGITS = 8
EPOCH_DIGITS = 4
"""A larger number is still a valid part of an id, but such ids no longer sort by the number."""


@dataclass(frozen=True, slots=True)
class TrialId:
    """The parts of a verdict's id."""

    run: str
    judging: int
    model: str
    task: str
    """As "name@version"."""

    attack: str
    sample: int
    epoch: int

    def __str__(self) -> str:
        return verdict_id(self.run, self.judging, self.model, self.task, self.attack, self.sample, self.epoch)


def verdict_id(run: str, judging: int, model: str, task: str, attack: str, sample: int, epoch: int) -> str:
    """Return the only id that a trial's verdict can have; `task` is "name@version"."""
    return f"{run}/{judging}/{model}/{task}/{attack}/{sample:0{SAMPLE_DIGITS}d}/{epoch:0{EPOCH_DIGITS}d}"


def parse_verdict_id(verdict: str) -> TrialId:
    """Return the parts of a verdict's id; raise ValueError if `verdict` is not an id."""
    parts = verdict.split("/")
    if len(parts) != PARTS:
        raise ValueError(f"{verdict!r} is not a verdict's id: it has {len(parts)} parts instead of {PARTS}")
    run, judging, model, task, attack, sample, epoch = parts
    return TrialId(run, int(judging), model, task, attack, int(sample), int(epoch))


def verdict_prefix(run: str, judging: int, model: str = "", task: str = "", attack: str = "") -> str:
    """Return the longest prefix that all ids of the selection share.

    An empty part selects everything; a `task` without a version selects every version of it.
    """
    prefix = f"{run}/{judging}/"
    if model:
        prefix += f"{model}/"
    if not (model and task):
        return prefix
    prefix += f"{task}/" if "@" in task else f"{task}@"
    return prefix + f"{attack}/" if attack and "@" in task else prefix


def verdict_pattern(run: str, judging: int, model: str = "", task: str = "", attack: str = "") -> str:
    """Return the regular expression that matches the ids of the selection from their start; see `verdict_prefix`."""
    any_part = "[^/]+"
    task_part = re.escape(task) if "@" in task else f"{re.escape(task)}@{any_part}" if task else any_part
    parts = [re.escape(run), str(judging), re.escape(model) or any_part, task_part, re.escape(attack) or any_part]
    return f"^{'/'.join(parts)}/"


def after_prefix(prefix: str) -> str:
    """Return the least string that sorts after everything that starts with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
