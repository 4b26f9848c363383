"""A table with a line for each model of a run: state, trials, rate, time left, and its last error below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from libra.cli.render.format import ABSENT, one_line, short_duration
from libra.cli.render.models.model_health import is_parked, last_error, park_times, state_word
from libra.cli.render.output import add_row, new_table
from libra.cli.render.runs.run_estimate import ModelEstimate
from libra.cli.render.sanitize import sanitize
from libra.core.outcome_names import total_of
from libra.v1.run_pb2 import ModelProgress, Run

MAX_MODELS = 10
OTHER_LINES = 18
"""Lines of the terminal for all but the sentences about models."""

NAME_CHARACTERS = 28
PROBLEM_CHARACTERS = 236
"""Three lines of a terminal of 80 columns."""

PROBLEM_LINES = 3


def model_table(run: Run, estimates: Sequence[ModelEstimate], height: int) -> RenderableType:
    """Return the table of the slowest models and what is wrong with them, for a terminal with `height` lines."""
    shown = estimates[:MAX_MODELS]
    helpers = [each for each in run.models if each.model not in set(run.spec.models)]
    table = _table([*(_cells(each) for each in shown), *(_helper_cells(each, run) for each in helpers)])
    parts: list[RenderableType] = [table]
    if hidden := estimates[MAX_MODELS:]:
        parked = sum(is_parked(each.progress.health) for each in hidden)
        parts.append(Text(f"and {len(hidden)} more" + (f", {parked} of them parked" if parked else "")))
    sentences = [sentence for _, sentence in problems(run)]
    fitting = max(1, (height - OTHER_LINES) // PROBLEM_LINES)
    if len(sentences) > fitting:
        more = f"and {len(sentences) - fitting} more such models: `libra run show {run.id}`"
        sentences = [*sentences[:fitting], more]
    return Group(*parts, *map(_problem_text, sentences))


def problems(run: Run) -> list[tuple[ModelProgress, str]]:
    """Return each model that is parked, then each that had errors, with a sentence about it."""
    parked = [each for each in run.models if is_parked(each.health)]
    failing = [each for each in run.models if not is_parked(each.health) and last_error(each.health)]
    return [
        *((each, parked_sentence(each)) for each in parked),
        *((each, f"{each.model}: {last_error(each.health)}") for each in failing),
    ]


def parked_sentence(progress: ModelProgress) -> str:
    """Return which model is parked, for how long, when it is asked again, and why."""
    return f"{progress.model} is parked {', '.join(park_times(progress.health))}: {progress.health.error}"


def _table(rows: Sequence[Sequence[str]]) -> Table:
    right = ("trials", "failed", "in flight", "rate", "left")
    table = new_table("model", "state", *right, right=right, no_wrap=("model", "state"))
    for row in rows:
        add_row(table, *row)
    return table


def _cells(each: ModelEstimate) -> list[str]:
    progress = each.progress
    rate = f"{each.per_second:.1f}/s" if each.per_second else ABSENT
    left = ABSENT if each.seconds_left is None else short_duration(each.seconds_left)
    return [
        one_line(progress.model, NAME_CHARACTERS),
        _state(each),
        f"{each.done:,}/{each.trials:,}",
        f"{progress.counts.failed:,}" if progress.counts.failed else "",
        str(progress.health.in_flight or ""),
        "" if each.is_done else rate,
        "" if each.is_done else left,
    ]


def _state(each: ModelEstimate) -> str:
    """Return the state of a model, or how far its trials are once all are answered."""
    if not each.is_done:
        return state_word(each.progress.health)
    return "done" if total_of(each.progress.counts) >= each.trials else "judging"


def _helper_cells(progress: ModelProgress, run: Run) -> list[str]:
    """Return the row of a model that only judges or writes."""
    role = "writes" if progress.model == run.spec.attack_model else "judges"
    name = one_line(progress.model, NAME_CHARACTERS)
    return [name, state_word(progress.health), role, "", str(progress.health.in_flight or ""), "", ""]


def _problem_text(sentence: str) -> Text:
    return Text(one_line(sanitize(sentence), PROBLEM_CHARACTERS), style="yellow")
