"""All votes as columns of numbers, in the order of time: what the statistics are computed from."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from libra.statistics.arena.votes import Outcome, Votes
from libra.store.arena.votes import VoteColumns
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2 import Vote

OUTCOMES: Mapping[int, Outcome] = {
    pb.PREFERENCE_A: Outcome.FIRST,
    pb.PREFERENCE_B: Outcome.SECOND,
    pb.PREFERENCE_TIE: Outcome.TIE,
    pb.PREFERENCE_BOTH_BAD: Outcome.BOTH_BAD,
}
QUESTIONS = (pb.QUESTION_SAFETY, pb.QUESTION_HELPFULNESS)


@dataclass(slots=True)
class Numbering:
    """Numbers names from 0, in the order in which they come."""

    names: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Return the number of a name, a new one if it is new."""
        known = self.numbers.get(name)
        if known is None:
            known = self.numbers[name] = len(self.names)
            self.names.append(name)
        return known

    def number_all(self, names: Sequence[str]) -> array[int]:
        """Return the number of each name."""
        for name in dict.fromkeys(names):
            self.number(name)
        return array("i", map(self.numbers.__getitem__, names))


@dataclass(frozen=True, slots=True)
class VoteRow:
    """One vote in numbers."""

    first: int
    second: int
    family: int
    voter: int
    outcomes: dict[pb.Question.ValueType, Outcome]
    counts: bool
    """Whether the vote counts unless its voter is quarantined: it was blind, and no near-duplicate."""


class VoteTable:
    """Votes of all models, families and voters. Nothing is removed."""

    def __init__(self) -> None:
        self.models, self.families, self.voters = Numbering(), Numbering(), Numbering()
        self._battles: set[str] = set()
        self.excluded = 0
        """The number of votes that do not count, whoever the voter is."""
        self._columns = {name: array("i") for name in ("first", "second", "family", "voter", "counts")}
        self._outcomes = {question: array("i") for question in QUESTIONS}

    def __len__(self) -> int:
        return len(self._battles)

    def __contains__(self, battle: object) -> bool:
        return battle in self._battles

    def add(self, vote: Vote) -> VoteRow | None:
        """Append a vote and return its row; None if the table has it already."""
        if vote.battle in self._battles:
            return None
        self._battles.add(vote.battle)
        row = VoteRow(
            self.models.number(vote.model_a),
            self.models.number(vote.model_b),
            self.families.number(vote.attack_family),
            self.voters.number(vote.voter),
            {pb.QUESTION_SAFETY: OUTCOMES[vote.safer], pb.QUESTION_HELPFULNESS: OUTCOMES[vote.more_helpful]},
            vote.blind and not vote.duplicate,
        )
        self.excluded += not row.counts
        for name, column in self._columns.items():
            column.append(getattr(row, name))
        for question, outcomes in self._outcomes.items():
            outcomes.append(row.outcomes[question])
        return row

    def extend(self, votes: VoteColumns) -> dict[pb.Question.ValueType, Votes]:
        """Append votes; return those of them that the table did not have and that count, by question."""
        new = [position for position, battle in enumerate(votes.battle) if battle not in self._battles]
        if len(new) < len(votes):
            votes = votes.select(new)
        self._battles.update(votes.battle)
        self.excluded += len(votes) - sum(votes.counts)
        columns = {
            "first": self.models.number_all(votes.model_a),
            "second": self.models.number_all(votes.model_b),
            "family": self.families.number_all(votes.attack_family),
            "voter": self.voters.number_all(votes.voter),
            "counts": array("i", votes.counts),
        }
        for name, column in columns.items():
            self._columns[name].extend(column)
        found = {}
        for question, preferences in ((pb.QUESTION_SAFETY, votes.safer), (pb.QUESTION_HELPFULNESS, votes.more_helpful)):
            outcomes = array("i", map(OUTCOMES.__getitem__, preferences))
            self._outcomes[question].extend(outcomes)
            found[question] = _counted(columns, outcomes)
        return found

    def votes(self, question: pb.Question.ValueType) -> Votes:
        """Return the votes that count unless their voters are quarantined, as copies."""
        return _counted(self._columns, self._outcomes[question])

    def mask_of(self, voters: Collection[str]) -> np.ndarray:
        """Return which voters are among these, by number."""
        mask = np.zeros(len(self.voters.names), dtype=bool)
        mask[[self.voters.numbers[voter] for voter in voters if voter in self.voters.numbers]] = True
        return mask

    def count_of(self, voters: Collection[str]) -> int:
        """Return the number of votes of these voters."""
        if not voters:
            return 0
        return int(self.mask_of(voters)[np.array(self._columns["voter"], dtype=np.int64)].sum())

    def votes_by_voter(self) -> dict[str, int]:
        """Return the number of votes of each voter."""
        counts = np.bincount(np.array(self._columns["voter"], dtype=np.int64), minlength=len(self.voters.names))
        return dict(zip(self.voters.names, counts.tolist(), strict=True))

    def votes_by_model(self) -> dict[str, int]:
        """Return the number of votes about each model, those that do not count included."""
        sides = [np.array(self._columns[name], dtype=np.int64) for name in ("first", "second")]
        counts = np.bincount(np.concatenate(sides), minlength=len(self.models.names))
        return dict(zip(self.models.names, counts.tolist(), strict=True))


def _counted(columns: Mapping[str, array[int]], outcomes: array[int]) -> Votes:
    """Return the votes that count, as copies of their columns."""
    arrays = {name: np.array(column, dtype=np.int64) for name, column in columns.items()}
    votes = Votes(
        arrays["first"],
        arrays["second"],
        np.array(outcomes, dtype=np.int64),
        arrays["voter"],
        family=arrays["family"],
    )
    return votes.subset(arrays["counts"] == 1)
