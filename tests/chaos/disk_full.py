"""A run on a small file system that is filled to the last byte for a while, and then has space again."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from libra.local.settings import inherited_environment
from libra.local.topology import PIPELINE, SERVERS

from . import report
from .faulty_provider import NO_FAULTS
from .harness import NO_PAGES, ChaosHarness, chaos_harness

BLOCK_SIZES = (1 << 20, 4096, 256)
POLL_SECONDS = 0.2
COMMAND_SECONDS = 60
PADDING_WORDS = 100
"""So that the servers need space for what they store, beyond what they have reserved."""

MAX_LOG_LINES_PER_MINUTE = 400
"""Of one process during the time without space."""


class MountRefused(Exception):
    """This user may not mount file systems."""


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a file system of this size in the block; raise MountRefused if that is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MountRefused(str(error)) from error
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Filler:
    """A file that takes all free space."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "filler"

    def fill(self) -> None:
        """Append until not one more byte can be written."""
        with self._path.open("ab", buffering=0) as file:
            for size in BLOCK_SIZES:
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def remove(self) -> None:
        self._path.unlink()


@dataclass
class Outage:
    """The observations while the disk was full."""

    completed: int = 0
    notes: set[str] = field(default_factory=set)
    exit_codes: set[int] = field(default_factory=set)
    not_ready: set[str] = field(default_factory=set)


async def read_status(folder: Path) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the reply of `libra status --json`."""
    command = [sys.executable, "-m", "libra.cli", "--data", str(folder), "status", "--json"]
    process = await asyncio.to_thread(
        subprocess.run,
        command,
        env=inherited_environment(),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    return process.returncode, json.loads(process.stdout)


async def fill_for_a_while(harness: ChaosHarness, folder: Path, run: str, seconds: float) -> Outage:
    """Keep the disk full for `seconds`, and return what `libra status` said meanwhile."""
    seen, filler, until = Outage(), Filler(folder), time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            await asyncio.to_thread(filler.fill)
            code, status = await read_status(folder)
            seen.exit_codes.add(code)
            seen.notes.update(status["notes"])
            seen.not_ready.update(part["name"] for part in status["parts"] if part["state"] != "up")
            await asyncio.sleep(POLL_SECONDS)
    finally:
        filler.remove()
    return seen


def count_log_lines(harness: ChaosHarness) -> dict[str, int]:
    """Return the number of lines in the log of each process."""
    paths = {name: harness.system.log_path(name) for name in (*SERVERS, *PIPELINE)}
    return {name: path.read_bytes().count(b"\n") for name, path in paths.items()}


async def run_with_full_disk(
    folder: Path,
    *,
    seed: int,
    trials: int,
    megabytes: int,
    full_seconds: float,
    timeout_seconds: float,
    variables: Mapping[str, str],
    in_flight: int = 64,
) -> None:
    """Fill the disk in the middle of a run, free it after a while, and expect the run to end by itself."""
    stage_bytes = {"LIBRA_NATS_STAGE_BYTES": str(8_000_000)}
    with small_disk(folder, megabytes) as disk:
        data = disk / "data"
        async with chaos_harness(
            data,
            seed=seed,
            rates=NO_FAULTS,
            in_flight=in_flight,
            replicas=NO_PAGES,
            variables={**variables, **stage_bytes},
        ) as harness:
            harness.system.start_watchdog()
            began = time.monotonic()
            run = await harness.create_run(trials, PADDING_WORDS)
            await harness.wait_for_share(run, 0.2, timeout_seconds)
            lines_before = count_log_lines(harness)
            outage = await fill_for_a_while(harness, data, run.id, full_seconds)
            freed, lines = time.monotonic(), count_log_lines(harness)
            ended = await harness.wait_for_end(run, timeout_seconds)
            resumed_seconds = time.monotonic() - freed
            result = await harness.inspect(ended, began)
            new_lines = {name: lines[name] - lines_before[name] for name in lines}
            rows = {
                **harness.report_rows(result),
                "disk full for": f"{full_seconds:.0f} s; the run ended {resumed_seconds:.0f} s after it was freed",
                "not up meanwhile": ", ".join(sorted(outage.not_ready)),
                "log lines meanwhile": ", ".join(f"{name} {count}" for name, count in new_lines.items()),
                **{f"note {number}": note for number, note in enumerate(sorted(outage.notes), 1)},
            }
            report.print_table("The disk was full", rows)
            harness.check(result)
            assert 1 in outage.exit_codes
            assert any("is full" in note for note in outage.notes)
            assert max(new_lines.values()) < MAX_LOG_LINES_PER_MINUTE * full_seconds / 60 + 100
            code, status = await read_status(data)
            assert (code, status["notes"]) == (0, [])
