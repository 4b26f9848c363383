"""Prints a run: what was requested, how many trials are settled, and how it ended."""

from __future__ import annotations

import click
from google.protobuf.descriptor import FieldDescriptor

from libra.cli.render.format import duration, enum_name, outcome_counts, utc_time
from libra.cli.render.models.model_health import state_word
from libra.cli.render.output import add_row, new_table, print_pairs, print_table
from libra.cli.render.runs.cost_estimate import budget_text
from libra.cli.render.runs.model_table import problems
from libra.cli.render.sanitize import sanitize
from libra.core.outcome_names import total_of
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.run_pb2 import Run, RunState


def settled_trials(run: Run) -> int:
    """Return how many trials have a verdict."""
    return total_of(run.counts)


def unscored_trials(run: Run) -> int:
    """Return how many settled trials have no score: they failed, or the judge could not decide."""
    return run.counts.unjudged + run.counts.failed


def state_name(run: Run) -> str:
    """Return the run's state, for instance "finished"."""
    return enum_name(RunState, run.state, "RUN_STATE_").replace("_", " ")


def print_run(run: Run) -> None:
    """Print a run, one line for each field that is set."""
    spec = run.spec
    print_pairs(
        [
            ("run", run.id),
            ("name", spec.name),
            ("team", run.team),
            ("round", spec.round),
            ("state", state_name(run)),
            ("trials", f"{settled_trials(run):,} of {run.trials:,} done: {outcome_counts(run.counts)}"),
            ("budget", budget_text(run.budget) if run.HasField("budget") else ""),
            ("created", utc_time(run.create_time, "second")),
            ("duration", duration(_seconds_taken(run)) if run.HasField("end_time") else ""),
            ("answers from", f"the run {spec.rejudges}, judged again" if spec.rejudges else ""),
            ("models", ", ".join(spec.models)),
            ("tasks", ", ".join(spec.tasks)),
            ("attacks", ", ".join(spec.attacks)),
            ("samples", f"{spec.samples_per_task} per task" if spec.samples_per_task else "all"),
            ("epochs", spec.epochs),
            ("seed", spec.seed),
            ("parameters", ", ".join(f"{field.name} {value:g}" for field, value in _numbers(spec.parameters))),
            ("fresh", "yes: stored answers are not reused" if spec.fresh else ""),
            ("judge model", spec.judge_model),
            ("attack model", spec.attack_model),
            ("judges", ", ".join(f"{judge} for {task}" for task, judge in sorted(spec.judges.items()))),
            ("judge options", ", ".join(f"{name}={value}" for name, value in sorted(spec.judge_options.items()))),
        ]
    )


def print_models(run: Run) -> None:
    """Print a table of the run's models with their outcomes, and why models are parked or fail."""
    heads = ("model", "state", "done", "answered", "scored", "filtered", "unjudged", "failed")
    table = new_table(*heads, right=heads[2:], no_wrap=("state",))
    for each in run.models:
        counts, done = each.counts, total_of(each.counts)
        numbers = (done, each.answered, counts.scored, counts.filtered, counts.unjudged, counts.failed)
        is_tested = each.model in run.spec.models
        state = state_word(each.health) if each.HasField("health") else ""
        add_row(table, each.model, state, *(f"{number:,}" if number and is_tested else "" for number in numbers))
    if run.models:
        click.echo()
        print_table(table)
    for _, sentence in problems(run):
        click.echo(sanitize(sentence))


def run_summary(run: Run) -> str:
    """Return the run's state in a sentence, and the command that shows why trials have no score."""
    took = f" in {duration(_seconds_taken(run))}" if run.HasField("end_time") else ""
    counts = f"{settled_trials(run):,} of {run.trials:,} trials, {outcome_counts(run.counts)}"
    spent = f"\nbudget: {budget_text(run.budget)}" if run.HasField("budget") else ""
    summary = f"run {run.id} {state_name(run)}{took}: {counts}{spent}{_how_to_go_on(run)}"
    if not unscored_trials(run):
        return summary
    outcome = "failed" if run.counts.failed else "unjudged"
    return f"{summary}\n`libra verdicts {run.id} --outcome {outcome}` shows the reasons"


def _how_to_go_on(run: Run) -> str:
    """Return the command that continues a stopped run."""
    if run.state == RunState.RUN_STATE_PAUSED:
        return f"\n`libra run resume {run.id}` continues it"
    if run.state == RunState.RUN_STATE_BUDGET_EXHAUSTED:
        name = next((name for name in ("usd", "tokens", "requests") if run.budget.limit.HasField(name)), "usd")
        return f"\nthe rest does not cover another request; `libra run resume {run.id} --budget-{name} N` continues it"
    return ""


def _seconds_taken(run: Run) -> float:
    return run.end_time.ToNanoseconds() / 1e9 - run.create_time.ToNanoseconds() / 1e9


def _numbers(parameters: GenerationParameters) -> list[tuple[FieldDescriptor, float]]:
    """Return the numeric parameters that are set."""
    return [(field, value) for field, value in parameters.ListFields() if not isinstance(value, str)]
