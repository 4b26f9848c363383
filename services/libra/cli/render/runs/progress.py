"""Shows the progress of a run on stderr: a bar and a table on a terminal, a log line every few seconds elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from libra.cli.render.format import duration, one_line
from libra.cli.render.models.model_health import parked_mark, parked_models, state_word
from libra.cli.render.output import console, print_note, stderr_is_terminal
from libra.cli.render.runs.cost_estimate import budget_text
from libra.cli.render.runs.model_table import model_table, problems
from libra.cli.render.runs.run import settled_trials
from libra.cli.render.runs.run_estimate import RunEstimator
from libra.v1.run_pb2 import Run, RunState

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

LOG_SECONDS = 5.0
PROBLEM_SECONDS = 60.0
PARKED_CHARACTERS = 60


class Reporter(AbstractContextManager["Reporter"], Protocol):
    """Shows the progress of one run."""

    def report(self, run: Run) -> None:
        """Show the present state of the run."""

    def report_outage(self, sentence: str) -> None:
        """Show why there is no news."""


def new_reporter() -> Reporter:
    """Return a progress bar if stderr is a terminal, else a progress log."""
    return ProgressBar() if stderr_is_terminal() else ProgressLog()


class ProgressBar:
    """A progress bar with rate, failures, elapsed time and time left, above a table of the models."""

    def __init__(self) -> None:
        self._estimator, self._task = RunEstimator(), TaskID(0)
        terminal = console(err=True)
        self._progress = Progress(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[failed]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=terminal,
            expand=True,
        )
        self._live = Live(self._progress, console=terminal, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._task = self._progress.add_task("", total=None, rate="", failed="", left="")
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def report(self, run: Run) -> None:
        """Update the bar and the table."""
        self._estimator.observe(run, time.monotonic())
        rate, failed, left = progress_texts(run, self._estimator)
        done = self._estimator.done
        self._progress.update(self._task, completed=done, total=run.trials, rate=rate, failed=failed, left=left)
        self._live.update(Group(self._progress, model_table(run, self._estimator.models, self._live.console.height)))

    def report_outage(self, sentence: str) -> None:
        """Show the first clause in place of the time left."""
        self._progress.update(self._task, left=sentence.partition(";")[0])


class ProgressLog:
    """One line on stderr every five seconds, for log files and pipes; below it one for each parked or failing model."""

    def __init__(self) -> None:
        self._estimator, self._printed_at = RunEstimator(), 0.0
        self._printed_problems: dict[str, float] = {}
        """Time of the last line about each model's problem; it is repeated once a minute, and when its kind changes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def report(self, run: Run) -> None:
        """Print the progress if the last line is five seconds old."""
        self._estimator.observe(run, time.monotonic())
        parts = [f"{self._estimator.done:,} of {run.trials:,} trials", *progress_texts(run, self._estimator)]
        if waiting := self._estimator.done - settled_trials(run):
            parts.append(f"{waiting:,} not judged yet")
        if names := parked_models(run):
            parts.append(one_line(f"{parked_mark(run)}: {', '.join(names)}", PARKED_CHARACTERS))
        if self._print(", ".join(part for part in parts if part)):
            self._print_problems(run)

    def report_outage(self, sentence: str) -> None:
        """Print the sentence if the last line is five seconds old."""
        self._print(sentence)

    def _print_problems(self, run: Run) -> None:
        """Print what is wrong with each model, unless it was printed a moment ago."""
        now, known = time.monotonic(), self._printed_problems
        found = {f"{each.model} {state_word(each.health)}": sentence for each, sentence in problems(run)}
        for key, sentence in found.items():
            if now - known.get(key, -PROBLEM_SECONDS) >= PROBLEM_SECONDS:
                known[key] = now
                print_note(f"{time.strftime('%H:%M:%S')}  {sentence}")
        self._printed_problems = {key: at for key, at in known.items() if key in found}

    def _print(self, sentence: str) -> bool:
        """Print the sentence if the last line is five seconds old; return whether it was printed."""
        now = time.monotonic()
        if now - self._printed_at < LOG_SECONDS:
            return False
        self._printed_at = now
        print_note(f"{time.strftime('%H:%M:%S')}  {sentence}")
        return True


def progress_texts(run: Run, estimator: RunEstimator) -> tuple[str, str, str]:
    """Return the rate, the failures and the time left as text; a part that is not known is empty."""
    rate, left = estimator.per_second, estimator.seconds_left
    if run.state == RunState.RUN_STATE_PAUSED:
        return "paused", failure_text(run), ""
    spent = budget_text(run.budget) if run.HasField("budget") else ""
    return (
        f"{rate:.1f}/s" if rate else "",
        ", ".join(part for part in (failure_text(run), spent) if part),
        f"about {duration(left)} left" if left and run.state == RunState.RUN_STATE_RUNNING else "",
    )


def failure_text(run: Run) -> str:
    """Return how many trials failed or are unjudged."""
    unjudged = f"{run.counts.unjudged:,} unjudged" if run.counts.unjudged else ""
    failed = f"{run.counts.failed:,} failed" if run.counts.failed or not unjudged else ""
    return ", ".join(part for part in (failed, unjudged) if part)
