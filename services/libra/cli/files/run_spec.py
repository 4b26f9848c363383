"""Combines a run file and command-line options into one RunSpec, and remembers which of them set each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libra.cli.files.run_file import RunFile
from libra.core.errors import Invalid
from libra.v1.run_pb2 import RunSpec

OPTIONS = {
    "name": "--name",
    "models": "--model",
    "tasks": "--task",
    "attacks": "--attack",
    "samples_per_task": "--samples",
    "epochs": "--epochs",
    "seed": "--seed",
    "fresh": "--fresh",
    "judge_model": "--judge-model",
    "attack_model": "--attack-model",
    "round": "--round",
    "judges": "--judge",
    "parameters.temperature": "--temperature",
    "parameters.top_p": "--top-p",
    "parameters.max_tokens": "--max-tokens",
    "budget": "--budget-usd, --budget-tokens or --budget-requests",
    "budget.usd": "--budget-usd",
    "budget.tokens": "--budget-tokens",
    "budget.requests": "--budget-requests",
}
"""The option for each field of a spec."""

BUDGET = "budget_"
"""The first part of the name of an option that sets a part of the budget."""


@dataclass(frozen=True, slots=True)
class CombinedSpec:
    """A spec, with the run file and the options that it was made from."""

    spec: RunSpec
    file: RunFile | None
    option_fields: frozenset[str]
    """The fields that options have set; options take precedence over the file."""

    def user_name_of(self, field: str) -> str:
        """Return what the user calls a field of a CreateRunRequest: "--model", or "run.yaml, line 7: models[1]"."""
        path = field.removeprefix("spec.")
        name = path.partition("[")[0]
        if self.file and name not in self.option_fields:
            return self.file.location_of(path)
        return OPTIONS.get(name, path)


def combine(file: RunFile | None, options: Mapping[str, Any]) -> CombinedSpec:
    """Return the spec of the file, if there is one, with the fields that options replace.

    `options` holds fields of the spec and of its parameters as click gives them: None or () for an unused option.
    Raises Invalid for a judge that is not in the form TASK=JUDGE.
    """
    spec = RunSpec()
    if file:
        spec.CopyFrom(file.spec)
    used = {_path_of(name): value for name, value in options.items() if value not in (None, ())}
    for path, value in used.items():
        _set_field(spec, path, value)
    return CombinedSpec(spec, file, frozenset(used))


def _path_of(name: str) -> str:
    """Return the path in a spec of the field that an option sets."""
    if name.startswith(BUDGET):
        return name.replace(BUDGET, "budget.")
    return f"parameters.{name}" if f"parameters.{name}" in OPTIONS else name


def _set_field(spec: RunSpec, path: str, value: Any) -> None:
    parent, _, name = path.rpartition(".")
    if name == "judges":
        spec.judges.clear()
        spec.judges.update(_judges(value))
    elif isinstance(value, tuple):
        getattr(spec, name)[:] = value
    else:
        setattr(getattr(spec, parent) if parent else spec, name, value)


def _judges(values: Sequence[str]) -> dict[str, str]:
    """Return the judge of each task that `--judge TASK=JUDGE` names; raise Invalid."""
    judges = dict(value.partition("=")[::2] for value in values)
    for task, judge in judges.items():
        if not task or not judge:
            raise Invalid(
                "the judge must be in the form TASK=JUDGE, for instance privacy_requests=refusal", field="--judge"
            )
    return judges
