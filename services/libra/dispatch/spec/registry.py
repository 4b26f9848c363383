"""The models, tasks, attacks and judges that a run can name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from libra.v1.attack_pb2 import Attack
from libra.v1.judge_pb2 import Judge
from libra.v1.task_pb2 import Task

EVERY_TASK = "*"
"""In place of a task's name: every task, or every selected task without a judge of its own."""

MAX_TASKS = 10_000
"""Tasks that are loaded at once; an evaluation has some hundred."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The names that a spec is checked against, as they were when the request arrived."""

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


def task_reference(task: Task) -> str:
    """Return how runs and cells refer to the task: "name@version"."""
    return f"{task.name}@{task.version}"
