"""The data that tests read from files; `tests/data/README.md` names the source and the licence of each."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent / "data"

PUBLISHED_SCORES = DATA / "published_scores.json"
"""The task scores of 29 models over 57 tasks, and the Safety Scores that were shown for four of them."""

TASKS = DATA / "tasks"
"""Samples of six tasks, one JSON Lines file each."""

REFUSAL_LABELS = DATA / "human_labels" / "refusal.csv"
"""Requests and answers that people labelled as refused (1) or not (0)."""

ENDPOINT_ERRORS = DATA / "endpoint_errors.jsonl"
"""Errors of endpoints, one JSON object a line, with the adjustment of the request that each calls for, or null."""
