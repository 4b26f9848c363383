"""Writes the notes of a board on answers that were cut off, blocked, or without text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from libra.core.response_names import sum_responses
from libra.store.sums.cells import Cell


def response_notes(cells: Iterable[Cell]) -> list[str]:
    """Return one note for each model whose answers were not all complete, in order of model."""
    by_model: defaultdict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_model[cell.model].append(cell)
    facts = {model: _response_facts(found) for model, found in sorted(by_model.items())}
    return [f"{model}: {'; '.join(found)}" for model, found in facts.items() if found]


def _response_facts(cells: Sequence[Cell]) -> list[str]:
    counts = sum_responses(cells)
    answers = sum(cell.total - cell.failed for cell in cells)
    blocked = counts.blocked_input + counts.blocked_output
    at = f"{counts.blocked_input:,} at input, {counts.blocked_output:,} at output"
    facts = (
        (counts.truncated, f"{counts.truncated:,} of {answers:,} answers were cut off at the token limit"),
        (blocked, f"{blocked:,} of {answers:,} requests were blocked by the provider ({at}) and count as refusals"),
        (counts.tool_calls, f"{counts.tool_calls:,} of {answers:,} answers were tool calls without text: not judged"),
    )
    return [fact for count, fact in facts if count]
