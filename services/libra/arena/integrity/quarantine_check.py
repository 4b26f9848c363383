"""Flags voters whose votes are unlike chance and unlike those of others."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from libra.statistics.arena.voter_evidence import quarantine
from libra.statistics.arena.votes import Votes
from libra.v1 import arena_pb2 as pb

MAX_EVIDENCE = 1e300
NAMES = {pb.QUESTION_SAFETY: "safety", pb.QUESTION_HELPFULNESS: "helpfulness"}


@dataclass(frozen=True, slots=True)
class Flag:
    """A voter who is to be quarantined."""

    voter: str
    evidence: float
    reason: str


def find_flags(
    votes_on: Mapping[pb.Question.ValueType, Votes], models: int, voters: Sequence[str], spared: Collection[str]
) -> list[Flag]:
    """Return the voters that the evidence of either question flags, without those in `spared`.

    `votes_on` has the votes on each question; `voters` are the names of the voters by number.
    """
    flags: dict[str, Flag] = {}
    for question, votes in votes_on.items():
        if not len(votes):
            continue
        evidence = quarantine(votes, models, len(voters)).evidence
        for number in evidence.is_flagged.nonzero()[0].tolist():
            voter, after = voters[number], int(evidence.flagged_after[number])
            if voter not in spared and voter not in flags:
                e_value = math.exp(min(float(evidence.max_log_e[number]), math.log(MAX_EVIDENCE)))
                reason = (
                    f"after {after} votes on {NAMES[question]} that were unlike chance and unlike those of other voters"
                )
                flags[voter] = Flag(voter, e_value, reason)
    return list(flags.values())
