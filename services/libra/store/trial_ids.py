"""How a trial is named, so that the order of names is the order of trials and every listing is a range of names."""

from __future__ import annotations

import re
from dataclasses import dataclass

PARTS = 7

SAMPLE_DIGITS = 8
EPOCH_DIGITS = 4
"""A number that needs more digits is named all the same, but no longer sorts by its size."""


@dataclass(frozen=True, slots=True)
class TrialId:
    """What a verdict's id says."""

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
    """Return the one name of a trial's verdict; `task` is "name@version"."""
    return f"{run}/{judging}/{model}/{task}/{attack}/{sample:0{SAMPLE_DIGITS}d}/{epoch:0{EPOCH_DIGITS}d}"


def parse_verdict_id(verdict: str) -> TrialId:
    """Return the parts of a verdict's id; ValueError if it is not one."""
    parts = verdict.split("/")
    if len(parts) != PARTS:
        raise ValueError(f"{verdict!r} is not a verdict's id: it has {len(parts)} parts instead of {PARTS}")
    run, judging, model, task, attack, sample, epoch = parts
    return TrialId(run, int(judging), model, task, attack, int(sample), int(epoch))


def verdict_prefix(run: str, judging: int, model: str = "", task: str = "", attack: str = "") -> str:
    """Return the longest beginning that all ids of the selection share.

    An empty part selects all; a `task` without a version selects every version of it.
    """
    prefix = f"{run}/{judging}/"
    if model:
        prefix += f"{model}/"
    if not (model and task):
        return prefix
    prefix += f"{task}/" if "@" in task else f"{task}@"
    return prefix + f"{attack}/" if attack and "@" in task else prefix


def verdict_pattern(run: str, judging: int, model: str = "", task: str = "", attack: str = "") -> str:
    """Return the regular expression that the ids of the selection match from their start; as for `verdict_prefix`."""
    anything = "[^/]+"
    name = re.escape(task) if "@" in task else f"{re.escape(task)}@{anything}" if task else anything
    wanted = [re.escape(run), str(judging), re.escape(model) or anything, name, re.escape(attack) or anything]
    return f"^{'/'.join(wanted)}/"


def after_prefix(prefix: str) -> str:
    """Return the least string that sorts after everything that starts with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
