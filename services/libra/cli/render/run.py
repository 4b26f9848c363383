"""Prints a run: what was requested, how many trials are settled, and how it ended."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor

from libra.cli.render.format import duration, enum_name, outcome_counts, utc_time
from libra.cli.render.output import print_pairs
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
    return enum_name(RunState, run.state, "RUN_STATE_")


def print_run(run: Run) -> None:
    """Print a run, one line for each field that is set."""
    spec = run.spec
    print_pairs(
        [
            ("run", run.id),
            ("name", spec.name),
            ("state", state_name(run)),
            ("trials", f"{settled_trials(run):,} of {run.trials:,} done: {outcome_counts(run.counts)}"),
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


def run_summary(run: Run) -> str:
    """Return the run's state in a sentence, and the command that shows why trials have no score."""
    took = f" in {duration(_seconds_taken(run))}" if run.HasField("end_time") else ""
    counts = f"{settled_trials(run):,} of {run.trials:,} trials, {outcome_counts(run.counts)}"
    summary = f"run {run.id} {state_name(run)}{took}: {counts}"
    if not unscored_trials(run):
        return summary
    outcome = "failed" if run.counts.failed else "unjudged"
    return f"{summary}\n`libra verdicts {run.id} --outcome {outcome}` shows the reasons"


def _seconds_taken(run: Run) -> float:
    return run.end_time.ToNanoseconds() / 1e9 - run.create_time.ToNanoseconds() / 1e9


def _numbers(parameters: GenerationParameters) -> list[tuple[FieldDescriptor, float]]:
    """Return the numeric parameters that are set."""
    return [(field, value) for field, value in parameters.ListFields() if not isinstance(value, str)]
