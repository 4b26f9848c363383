"""Follow a run to its end: a bar on a terminal, a line every few seconds anywhere else."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from libra.cli.client import Client, NotUp
from libra.cli.render import output
from libra.cli.render.eta import Pace, settled
from libra.cli.render.sanitize import duration
from libra.errors import Unavailable
from libra.v1.run_pb2 import Run, RunState, WatchRunRequest
from libra.v1.run_pb2_grpc import RunServiceStub

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

STREAM_SECONDS = 3600.0
"""A watch is opened anew after an hour, where it was."""
PATIENCE_SECONDS = 120.0
"""A dispatch that restarts is back in less; after that it is said that nobody answers."""
AGAIN_SECONDS = 1.0
TICK_SECONDS = 1.0
LINE_SECONDS = 5.0


class Reporter(AbstractContextManager["Reporter"], Protocol):
    """Shows how a run goes."""

    def report(self, run: Run) -> None:
        """Take in the run as it stands."""

    def waits(self, sentence: str) -> None:
        """Say why nothing is heard."""


async def watch(client: Client, run: Run, reporter: Reporter) -> Run:
    """Report the run at each change, and every second in between, until it has ended, and return it as it ended.

    A dispatch that is away is waited for; Unavailable if it stays away for two minutes.
    """
    seen = Seen(run, time.monotonic())
    reporter.report(run)
    ticking = asyncio.create_task(tick(seen, reporter))
    try:
        while seen.run.state == RunState.RUN_STATE_RUNNING:
            try:
                await look(client, seen, reporter)
            except Unavailable as error:
                if isinstance(error, NotUp) or time.monotonic() - seen.heard_seconds > PATIENCE_SECONDS:
                    raise
                reporter.waits("dispatch does not answer; the run waits for it, and so does this command")
                await asyncio.sleep(AGAIN_SECONDS)
    finally:
        ticking.cancel()
    return seen.run


@dataclass(slots=True)
class Seen:
    """What is known of a run."""

    run: Run
    heard_seconds: float
    """When dispatch last spoke, in seconds of a monotonic clock."""


async def look(client: Client, seen: Seen, reporter: Reporter) -> None:
    """Take in what dispatch says about the run, for as long as it does."""
    request = WatchRunRequest(id=seen.run.id, after_revision=seen.run.revision)
    async for answer in client.stream(RunServiceStub, "WatchRun", request, seconds=STREAM_SECONDS):
        seen.run, seen.heard_seconds = answer.run, time.monotonic()
        reporter.report(seen.run)


async def tick(seen: Seen, reporter: Reporter) -> None:
    """Report the run although nothing has changed: that nothing does lowers the rate."""
    while True:
        await asyncio.sleep(TICK_SECONDS)
        reporter.report(seen.run)


def reporter() -> Reporter:
    """Return what fits where stderr goes."""
    return Bar() if output.interactive() else Lines()


class Bar:
    """A progress bar on a terminal."""

    def __init__(self) -> None:
        self._pace, self._task = Pace(), TaskID(0)
        self._progress = Progress(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[failed]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=output.console(err=True),
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
        """Move the bar."""
        self._pace.look(time.monotonic(), settled(run))
        rate, failed, left = told(run, self._pace)
        self._progress.update(self._task, completed=settled(run), total=run.trials, rate=rate, failed=failed, left=left)

    def waits(self, sentence: str) -> None:
        """Say it in the place of the time left."""
        self._progress.update(self._task, left=sentence.partition(";")[0])


class Lines:
    """A line on stderr every few seconds, for logs and pipes."""

    def __init__(self) -> None:
        self._pace, self._spoke_seconds = Pace(), 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def report(self, run: Run) -> None:
        """Print a line if the last is old enough."""
        self._pace.look(time.monotonic(), settled(run))
        parts = (f"{settled(run):,} of {run.trials:,} trials", *told(run, self._pace))
        self._say(", ".join(part for part in parts if part))

    def waits(self, sentence: str) -> None:
        """Print it, as seldom as any line."""
        self._say(sentence)

    def _say(self, sentence: str) -> None:
        now = time.monotonic()
        if now - self._spoke_seconds >= LINE_SECONDS:
            self._spoke_seconds = now
            output.note(f"{time.strftime('%H:%M:%S')}  {sentence}")


def told(run: Run, pace: Pace) -> tuple[str, str, str]:
    """Return the rate, the failures and the time left, in words; empty where there is nothing to say."""
    rate, left = pace.per_second(), pace.seconds_left(run.trials)
    return (
        f"{rate:.1f}/s" if rate else "",
        lost(run),
        f"about {duration(left)} left" if left and run.state == RunState.RUN_STATE_RUNNING else "",
    )


def lost(run: Run) -> str:
    """Return how many trials have no score, in words."""
    unjudged = f"{run.counts.unjudged:,} unjudged" if run.counts.unjudged else ""
    failed = f"{run.counts.failed:,} failed" if run.counts.failed or not unjudged else ""
    return ", ".join(words for words in (failed, unjudged) if words)
