"""Writes the end of a run's summary: answers that were cut off, blocked, refused, or without text."""

from __future__ import annotations

from collections.abc import Iterator

from libra.core.outcome_names import total_of
from libra.core.parameter_limits import DEFAULT_MAX_TOKENS
from libra.core.response_names import sum_responses
from libra.v1.run_pb2 import ModelProgress, Run


def response_summary(run: Run) -> list[str]:
    """Return a sentence for each thing that a reader should know; none if all answers are complete."""
    cut = [_truncated_sentence(run, each) for each in run.models if each.responses.truncated]
    return [*cut, *_counted_sentences(run)]


def _truncated_sentence(run: Run, progress: ModelProgress) -> str:
    limit = run.spec.parameters.max_tokens or DEFAULT_MAX_TOKENS
    answers, cut_off = total_of(progress.counts) - progress.counts.failed, progress.responses.truncated
    counted = f"{cut_off:,} of {answers:,} {'answer' if answers == 1 else 'answers'} of {progress.model}"
    remedy = "raise --max-tokens in a new run" if run.spec.rejudges else "raise --max-tokens"
    return f"{counted} {'was' if cut_off == 1 else 'were'} cut off at {limit:,} tokens: {remedy}"


def _counted_sentences(run: Run) -> Iterator[str]:
    counts = sum_responses(each.responses for each in run.models)
    if blocked := counts.blocked_input + counts.blocked_output:
        at = f"{counts.blocked_input:,} at input, {counts.blocked_output:,} at output"
        yield f"{_were(blocked, 'request')} blocked by the provider ({at}): counted as refusals"
    if counts.refused_by_model:
        yield f"{_were(counts.refused_by_model, 'answer')} marked by the provider as refused by the model itself"
    if counts.tool_calls:
        yield f"{_were(counts.tool_calls, 'answer')} tool calls without text: UNJUDGED, since there is no text to judge"


def _were(count: int, noun: str) -> str:
    return f"{count:,} {noun} was" if count == 1 else f"{count:,} {noun}s were"
