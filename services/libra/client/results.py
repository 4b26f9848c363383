"""The results that a client returns: plain, immutable objects with the fields of the protos of the same names.

Scores are in [0, 1], differences in [-1, 1], times in UTC. An enumeration is its name in lower case, and an unknown
value is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from libra.client.frames import to_frame

SIGNIFICANCE = 0.05
"""The level of every judgement in words: `verdict` and `worse_tasks`."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score or a difference, with its standard error and the ends of its 95 % interval."""

    value: float
    standard_error: float | None
    n: int
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """The number of trials by outcome."""

    scored: int
    filtered: int
    unjudged: int
    failed: int

    @property
    def total(self) -> int:
        """Trials of any outcome."""
        return self.scored + self.filtered + self.unjudged + self.failed


@dataclass(frozen=True, slots=True)
class RunSpec:
    """The spec of a run, with every default replaced by its value."""

    name: str
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    attacks: tuple[str, ...]
    samples_per_task: int
    epochs: int
    seed: int


@dataclass(frozen=True, slots=True)
class ModelProgress:
    """The progress of a run with one of its models."""

    model: str
    counts: OutcomeCounts
    answered: int


@dataclass(frozen=True, slots=True)
class Run:
    """A run with its progress."""

    id: str
    spec: RunSpec
    state: str
    """For instance "running", "paused", "finished", "cancelled" or "budget_exhausted"."""

    trials: int
    counts: OutcomeCounts
    create_time: datetime | None
    end_time: datetime | None
    revision: int
    models: tuple[ModelProgress, ...]

    @property
    def has_ended(self) -> bool:
        """Whether the run gets no more verdicts, unless it is resumed with a higher budget or retried."""
        return self.state not in ("running", "paused")


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One model's mean over the trials of a task whose samples have the same gold label."""

    label: str
    value: float
    n: int


@dataclass(frozen=True, slots=True)
class TaskScore:
    """One model's score on one task, plain or under an attack."""

    task: str
    version: str
    attack: str
    score: Estimate | None
    counts: OutcomeCounts
    run: str
    corrected: Estimate | None
    gold_labels: tuple[LabelScore, ...] = ()
    """The mean of each gold label, if the score is balanced over them."""


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """One model's score in one category: the unweighted mean of its tasks."""

    category: str
    score: Estimate | None
    tasks: tuple[TaskScore, ...]


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One model on the board."""

    rank: int
    """From 1; 0 without an Overall."""

    model: str
    overall: Estimate | None
    safety: Estimate | None
    capability: Estimate | None
    categories: tuple[CategoryScore, ...]
    coverage: float
    counts: OutcomeCounts
    missing: tuple[str, ...]
    rank_low: int
    rank_high: int
    capability_source: str

    def score(self, name: str) -> Estimate | None:
        """Return the score of this name: overall, safety, capability, a category, "task" or "task+attack"."""
        if name in ("overall", "safety", "capability"):
            found: Estimate | None = getattr(self, name)
            return found
        for category in self.categories:
            if category.category == name:
                return category.score
            for task in category.tasks:
                if name in (task.task, f"{task.task}+{task.attack}") and (name != task.task or task.attack == "none"):
                    return task.score
        return None


@dataclass(frozen=True, slots=True)
class Board:
    """The leaderboard: rows by Overall, the best first, rows without one last."""

    rows: tuple[BoardRow, ...]
    revision: int
    create_time: datetime | None
    notes: tuple[str, ...]

    def row(self, model: str) -> BoardRow | None:
        """Return a model's row; None if the board has none."""
        return next((row for row in self.rows if row.model == model), None)

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with a line for each model. Raises ExtraNotInstalled without the extra `pandas`."""
        return to_frame(
            {
                "rank": row.rank,
                "model": row.model,
                **_columns("overall", row.overall),
                **_columns("safety", row.safety),
                **_columns("capability", row.capability),
                **_category_columns(row),
                "coverage": row.coverage,
                "rank_low": row.rank_low,
                "rank_high": row.rank_high,
                **asdict(row.counts),
            }
            for row in self.rows
        )

    def tasks_to_frame(self) -> Any:
        """Return a pandas DataFrame with a line for each model, task and attack; raises as `to_frame` does."""
        return to_frame(
            {
                "model": row.model,
                "category": category.category,
                "task": task.task,
                "version": task.version,
                "attack": task.attack,
                **_columns("score", task.score),
                "run": task.run,
                **asdict(task.counts),
            }
            for row in self.rows
            for category in row.categories
            for task in category.tasks
        )


@dataclass(frozen=True, slots=True)
class BestModel:
    """The answer to "which model is best under these constraints?"."""

    row: BoardRow | None
    """The model with the highest Overall among those that keep every constraint; None if there is none."""

    violations: Mapping[str, tuple[str, ...]]
    """By model, in the order of the board, the constraints that it does not keep, one sentence each."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference of two models in one score, on their common samples."""

    what: str
    samples: int
    score: float
    other_score: float
    difference: Estimate
    test: str
    p: float | None
    p_holm: float | None
    detectable: float | None

    @property
    def verdict(self) -> str:
        """The result at 5 %, for tasks with Holm's correction: "better", "worse" or "undecided"."""
        p = self.p_holm if self.p_holm is not None else self.p
        if p is None or p >= SIGNIFICANCE:
            return "undecided"
        return "better" if self.difference.value > 0 else "worse"


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """The comparison of two models, or of two runs of one model."""

    summary: tuple[Comparison, ...]
    tasks: tuple[Comparison, ...]
    notes: tuple[str, ...]

    @property
    def overall(self) -> Comparison | None:
        """The comparison of Overall; None if a side has none."""
        return self.named("overall")

    @property
    def worse_tasks(self) -> tuple[Comparison, ...]:
        """Tasks on which the first side is worse, at 5 % after Holm's correction."""
        return tuple(task for task in self.tasks if task.verdict == "worse")

    def named(self, what: str) -> Comparison | None:
        """Return the comparison of one score; None if it could not be compared."""
        return next((entry for entry in (*self.summary, *self.tasks) if entry.what == what), None)

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with a line for each score. Raises ExtraNotInstalled without the extra `pandas`."""
        return to_frame(
            {
                "what": entry.what,
                "samples": entry.samples,
                "score": entry.score,
                "other_score": entry.other_score,
                **_columns("difference", entry.difference),
                "test": entry.test,
                "p": entry.p,
                "p_holm": entry.p_holm,
                "verdict": entry.verdict,
            }
            for entry in (*self.summary, *self.tasks)
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one trial."""

    id: str
    run: str
    model: str
    task: str
    attack: str
    sample: int
    epoch: int
    outcome: str
    score: float
    label: str
    rationale: str
    category: str
    completion_id: str
    create_time: datetime | None
    fields: Mapping[str, str]


def verdict_frame(verdicts: Iterable[Verdict]) -> Any:
    """Return a pandas DataFrame with a line for each verdict, and a column "field_NAME" for each of their fields.

    Raises ExtraNotInstalled without the extra `pandas`.
    """
    return to_frame(
        {name: value for name, value in asdict(verdict).items() if name != "fields"}
        | {f"field_{name}": value for name, value in verdict.fields.items()}
        for verdict in verdicts
    )


def _category_columns(row: BoardRow) -> dict[str, float | None]:
    columns: dict[str, float | None] = {}
    for category in row.categories:
        columns |= _columns(category.category, category.score)
    return columns


def _columns(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
