"""The inputs of a gate: the policy, the verdicts of the model and of its baseline, and what corrects them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from libra.core.attack_names import task_label
from libra.core.category_names import category_name
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.scores import ScoreInputs
from libra.ranking.comparison.pairing import ComparisonSide
from libra.store.sums.cells import JudgeKey
from libra.v1.calibration_pb2 import Calibration
from libra.v1.gate_pb2 import GatePolicy
from libra.v1.ranking_pb2 import Capability


@dataclass(frozen=True, slots=True)
class SampleScore:
    """The mean score of one sample, and when it became known."""

    step: int
    """The number of the look at which it was first known, from 0."""

    score: float


Streams = Mapping[str, Mapping[int, SampleScore]]
"""The scores by the label of the task, then by the ordinal of the sample."""


@dataclass(frozen=True, slots=True)
class GateInputs:
    """Everything that a gate decides from."""

    policy: GatePolicy
    """With its defaults."""

    model: ComparisonSide
    baseline: ComparisonSide | None = None
    figures: tuple[Capability | None, Capability | None] = (None, None)
    """The imported capability figures of the model and of the baseline."""

    calibrations: Mapping[JudgeKey, Calibration] = field(default_factory=dict)
    named_tasks: Mapping[str, int] = field(default_factory=dict)
    """The categories of the tasks that the policy names."""

    is_same_model: bool = False
    """Whether the baseline is another run of the model."""

    streams: tuple[Streams, Streams] | None = None
    """The samples of the model and of the baseline in the order in which they became known; None unless sequential."""

    def score_inputs(self, side: ComparisonSide) -> ScoreInputs:
        """Return the inputs of the scores of one side."""
        figure = self.figures[0 if side is self.model else 1]
        capabilities = {side.board_cells[0].cell.model: figure} if figure and side.board_cells else {}
        return ScoreInputs(side.sample_sums, capabilities, self.calibrations, correct_judges=self.policy.correct_judges)


def label_of(board_cell: BoardCell) -> str:
    """Return "task", or "task+attack"."""
    return task_label(board_cell.task_name, board_cell.cell.attack)


def is_in_scope(board_cell: BoardCell, policy: GatePolicy) -> bool:
    """Return whether the policy is about this task under this attack."""
    names: Sequence[str] = (board_cell.task_name, category_name(board_cell.cell.category))
    is_task = not policy.tasks or any(name in policy.tasks for name in names)
    return is_task and (not policy.attacks or board_cell.cell.attack in policy.attacks)
