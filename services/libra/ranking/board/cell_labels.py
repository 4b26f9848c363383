"""The labels that people gave to the answers of a cell."""

from __future__ import annotations

from dataclasses import dataclass

from libra.statistics.prediction_powered import LabelledTrials
from libra.statistics.score import TrialsBySample


@dataclass(frozen=True, slots=True)
class CellLabels:
    """The labels of one cell, with what is needed to use them."""

    drawn: LabelledTrials
    """The labelled trials that were drawn at random."""

    draw_size: int
    """The number of trials that were drawn; those without a label are taken to be like the others."""

    hand_picked: int
    """The number of labels of trials that were not drawn: they say nothing about the others, and are not used."""

    filtered: TrialsBySample
    """The FILTERED trials, whose scores are right by definition."""
