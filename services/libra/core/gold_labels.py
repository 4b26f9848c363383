"""The gold label of a trial, by which the score of a task can be balanced.

The judge stage copies it from the sample's field that the card names (`balanced_by`) to a field of the verdict.
"""

from __future__ import annotations

GOLD_LABEL_FIELD = "gold_label"
"""The verdict's field with the gold label of its sample; only verdicts on tasks with a balanced score have it."""

MAX_LABELS = 20
"""The most gold labels of a task: each has its own sums in every cell."""

MAX_LABEL_CHARACTERS = 100
"""A longer text is an answer and not the name of a class."""
