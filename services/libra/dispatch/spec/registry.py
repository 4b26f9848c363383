"""What a run can be made of: the models, tasks, attacks and judges there are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from libra.v1.attack_pb2 import Attack
from libra.v1.judge_pb2 import Judge
from libra.v1.task_pb2 import Task


@dataclass(frozen=True, slots=True)
class Registry:
    """The names that a spec is checked against, as they stood when it came in."""

    models: frozenset[str]
    """Registered models, by name."""

    tasks: Mapping[str, Task]
    """The newest version of each task by name, and each version that the spec names by "name@version"."""

    attacks: Mapping[str, Attack]
    """The attack service's catalogue, by name."""

    judges: Mapping[str, Judge]
    """The judge service's catalogue, by name."""

    def task_names(self) -> list[str]:
        """Return the names of the tasks, without versions, in order."""
        return sorted(name for name in self.tasks if "@" not in name)


def reference(task: Task) -> str:
    """Return what a run calls the task: "name@version"."""
    return f"{task.name}@{task.version}"
