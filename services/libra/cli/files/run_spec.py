"""Put a run's spec together from a run file and from options, and know what the user called each of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libra.cli.files.run_file import RunFile
from libra.errors import Invalid
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
    "judges": "--judge",
    "parameters.temperature": "--temperature",
    "parameters.top_p": "--top-p",
    "parameters.max_tokens": "--max-tokens",
}
"""How the command calls the fields of a spec."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to evaluate, and where the user said so."""

    spec: RunSpec
    file: RunFile | None
    options: frozenset[str]
    """The fields that options gave; they win over the file's."""

    def word(self, field: str) -> str:
        """Return what the user calls a field of a CreateRunRequest: "--model", or "run.yaml, line 7: models[1]"."""
        path = field.removeprefix("spec.")
        name = path.partition("[")[0]
        if self.file and name not in self.options:
            return self.file.place(path)
        return OPTIONS.get(name, path)


def asked(file: RunFile | None, given: Mapping[str, Any]) -> Asked:
    """Return the spec of the file, if there is one, with what options give in the place of its fields.

    `given` holds fields of the spec and of its parameters as click gives them: None or () where an option was not used.
    Raises Invalid for a judge that is not named as TASK=JUDGE.
    """
    spec = RunSpec()
    if file:
        spec.CopyFrom(file.spec)
    used = {path_of(name): value for name, value in given.items() if value not in (None, ())}
    for path, value in used.items():
        put(spec, path, value)
    return Asked(spec, file, frozenset(used))


def path_of(name: str) -> str:
    """Return where in a spec the field of an option stands."""
    return f"parameters.{name}" if f"parameters.{name}" in OPTIONS else name


def put(spec: RunSpec, path: str, value: Any) -> None:
    """Set one field of the spec."""
    owner, _, name = path.rpartition(".")
    if name == "judges":
        spec.judges.clear()
        spec.judges.update(judges(value))
    elif isinstance(value, tuple):
        getattr(spec, name)[:] = value
    else:
        setattr(spec.parameters if owner else spec, name, value)


def judges(words: Sequence[str]) -> dict[str, str]:
    """Return the judges that `--judge TASK=JUDGE` names, by task; raise Invalid."""
    found = dict(word.partition("=")[::2] for word in words)
    for task, judge in found.items():
        if not task or not judge:
            raise Invalid("it must be TASK=JUDGE, for instance privacy_requests=refusal", field="--judge")
    return found
