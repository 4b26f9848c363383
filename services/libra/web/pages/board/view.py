"""The reader's view of the board, as the URL describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from libra.core.category_names import CATEGORIES
from libra.core.errors import Invalid
from libra.v1.ranking_pb2 import CapabilityChoice, GetBoardRequest, GetWeightsRequest
from libra.web.query import Query

CAPABILITIES = {
    "tasks": CapabilityChoice.CAPABILITY_CHOICE_TASKS,
    "imported": CapabilityChoice.CAPABILITY_CHOICE_IMPORTED,
}
SCORES = {
    "judged": "as judged",
    "corrected": "corrected for the judges' errors",
    "labelled": "corrected by people's labels",
}
"""Descriptions of the scores that the board computes with."""

MAX_RUNS = 500


@dataclass(frozen=True, slots=True)
class BoardView:
    """The filters of a board. The sort order is checked when the columns are known."""

    runs: tuple[str, ...]
    models: tuple[str, ...]
    round: str
    category: str
    task: str
    attack: str
    capability: str
    scores: str
    hides_references: bool
    sort: str
    order: str

    @classmethod
    def parse(cls, query: Query) -> Self:
        """Return the view of a URL; raise Invalid for an unknown parameter or value."""
        view = cls(
            runs=tuple(query.texts("run")),
            models=tuple(query.texts("model")),
            round=query.text("round"),
            category=query.choice("category", CATEGORIES),
            task=query.text("task"),
            attack=query.text("attack"),
            capability=query.choice("capability", CAPABILITIES),
            scores=query.choice("scores", SCORES, default="judged"),
            hides_references=query.choice("references", ("hide", "show"), default="show") == "hide",
            sort=query.text("sort"),
            order=query.choice("order", ("asc", "desc")),
        )
        query.finish()
        if view.runs and view.round:
            raise Invalid("give either a run or a round: a round stands for its runs", field="round")
        return view

    def board_request(self) -> GetBoardRequest:
        """Return the request for the board."""
        return GetBoardRequest(
            runs=self.runs,
            models=self.models,
            round=self.round,
            capability=CAPABILITIES.get(self.capability, CapabilityChoice.CAPABILITY_CHOICE_UNSPECIFIED),
            correct_judges=self.scores == "corrected",
            use_labels=self.scores == "labelled",
        )

    def weights_request(self) -> GetWeightsRequest:
        """Return the request for the ranking of the same board at every weight."""
        board = self.board_request()
        return GetWeightsRequest(
            runs=board.runs,
            models=board.models,
            round=board.round,
            capability=board.capability,
            correct_judges=board.correct_judges,
            use_labels=board.use_labels,
        )

    @property
    def is_descending(self) -> bool:
        """Whether the greatest comes first: the default for figures, and not for names."""
        return self.order == "desc" or (not self.order and self.sort != "model")

    @property
    def has_detail(self) -> bool:
        """Whether the table shows single tasks in place of the categories."""
        return bool(self.category or self.task or self.attack)
