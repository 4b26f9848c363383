"""Shows the progress of a run on stderr: a bar on a terminal, a log line every few seconds elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from libra.cli.render.eta import RateEstimator
from libra.cli.render.format import duration
from libra.cli.render.output import console, print_note, stderr_is_terminal
from libra.cli.render.run import settled_trials
from libra.v1.run_pb2 import Run, RunState

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

LOG_SECONDS = 5.0


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
    """A progress bar with rate, failures, elapsed time and time left."""

    def __init__(self) -> None:
        self._estimator, self._task = RateEstimator(), TaskID(0)
        self._progress = Progress(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[failed]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console(err=True),
            expand=True,
        )

    def __enter__(self) -> Self:
        self._task = self._progress.add_task("", total=None, rate="", failed="", left="")
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def report(self, run: Run) -> None:
        """Update the bar."""
        settled = settled_trials(run)
        self._estimator.observe(time.monotonic(), settled)
        rate, failed, left = progress_texts(run, self._estimator)
        self._progress.update(self._task, completed=settled, total=run.trials, rate=rate, failed=failed, left=left)

    def report_outage(self, sentence: str) -> None:
        """Show the first clause in place of the time left."""
        self._progress.update(self._task, left=sentence.partition(";")[0])


class ProgressLog:
    """One line on stderr every five seconds, for log files and pipes."""

    def __init__(self) -> None:
        self._estimator, self._printed_at = RateEstimator(), 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def report(self, run: Run) -> None:
        """Print the progress if the last line is five seconds old."""
        settled = settled_trials(run)
        self._estimator.observe(time.monotonic(), settled)
        parts = (f"{settled:,} of {run.trials:,} trials", *progress_texts(run, self._estimator))
        self._print(", ".join(part for part in parts if part))

    def report_outage(self, sentence: str) -> None:
        """Print the sentence if the last line is five seconds old."""
        self._print(sentence)

    def _print(self, sentence: str) -> None:
        now = time.monotonic()
        if now - self._printed_at >= LOG_SECONDS:
            self._printed_at = now
            print_note(f"{time.strftime('%H:%M:%S')}  {sentence}")


def progress_texts(run: Run, estimator: RateEstimator) -> tuple[str, str, str]:
    """Return the rate, the failures and the time left as text; a part that is not known is empty."""
    rate, left = estimator.trials_per_second(), estimator.seconds_left(run.trials)
    return (
        f"{rate:.1f}/s" if rate else "",
        failure_text(run),
        f"about {duration(left)} left" if left and run.state == RunState.RUN_STATE_RUNNING else "",
    )


def failure_text(run: Run) -> str:
    """Return how many trials failed or are unjudged."""
    unjudged = f"{run.counts.unjudged:,} unjudged" if run.counts.unjudged else ""
    failed = f"{run.counts.failed:,} failed" if run.counts.failed or not unjudged else ""
    return ", ".join(part for part in (failed, unjudged) if part)
