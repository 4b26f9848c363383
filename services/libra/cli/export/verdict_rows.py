"""Turns a verdict into a flat row: the columns of CSV, JSON Lines and Parquet files."""

from __future__ import annotations

import json
from typing import Any

from libra.core.category_names import category_name
from libra.core.outcome_names import outcome_name
from libra.core.response_names import response_name
from libra.v1.completion_pb2 import FinishReason
from libra.v1.verdict_pb2 import Outcome, Verdict

Row = dict[str, Any]

COLUMNS: dict[str, type] = {
    **dict.fromkeys(("run", "model", "task", "attack"), str),
    **dict.fromkeys(("sample", "epoch"), int),
    **dict.fromkeys(("category", "outcome"), str),
    "score": float,
    **dict.fromkeys(
        ("label", "rationale", "judge", "judge_version", "rubric_hash", "completion_id", "create_time"), str
    ),
    "fields": str,
}
"""The columns of every row, in their order, with the type of their values."""

TEXT_COLUMNS: dict[str, type] = {
    **dict.fromkeys(("prompt", "answer", "response", "finish_reason"), str),
    **dict.fromkeys(("prompt_tokens", "completion_tokens"), int),
    **dict.fromkeys(("cost_usd", "latency_seconds"), float),
    "error": str,
}
"""Further columns, if prompts and answers are exported."""

SCORED = (Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED)


def verdict_row(verdict: Verdict, *, has_text: bool) -> Row:
    """Return the row of a verdict; an unknown value is None. `fields` and `prompt` are JSON texts."""
    row: Row = {
        "run": verdict.run,
        "model": verdict.model,
        "task": verdict.task,
        "attack": verdict.attack,
        "sample": verdict.sample,
        "epoch": verdict.epoch,
        "category": category_name(verdict.category),
        "outcome": outcome_name(verdict.outcome),
        "score": verdict.score if verdict.outcome in SCORED else None,
        "label": verdict.label,
        "rationale": verdict.rationale,
        "judge": verdict.judge.name,
        "judge_version": verdict.judge.version,
        "rubric_hash": verdict.judge.rubric_hash,
        "completion_id": verdict.completion_id,
        "create_time": verdict.create_time.ToJsonString() if verdict.HasField("create_time") else None,
        "fields": json.dumps(dict(sorted(verdict.fields.items())), ensure_ascii=False),
    }
    return row | _text_columns(verdict) if has_text else row


def prompt_text(verdict: Verdict) -> str:
    """Return the conversation that the model was shown, as a JSON list of role and content."""
    turns = [{"role": turn.role, "content": turn.content} for turn in verdict.messages]
    return json.dumps(turns, ensure_ascii=False)


def _text_columns(verdict: Verdict) -> Row:
    completion = verdict.completion
    has_answer = verdict.HasField("completion")
    is_counted = has_answer and not completion.usage_unknown
    return {
        "prompt": prompt_text(verdict),
        "answer": completion.text if has_answer else None,
        "response": response_name(completion.response.response_class) if completion.HasField("response") else None,
        "finish_reason": _finish_reason(completion.finish_reason) if has_answer else None,
        "prompt_tokens": completion.usage.prompt_tokens if is_counted else None,
        "completion_tokens": completion.usage.completion_tokens if is_counted else None,
        "cost_usd": completion.cost_usd if is_counted and not completion.price_unknown else None,
        "latency_seconds": completion.latency_seconds if has_answer else None,
        "error": completion.error,
    }


def _finish_reason(reason: FinishReason.ValueType) -> str:
    return FinishReason.Name(reason).removeprefix("FINISH_REASON_").lower()
