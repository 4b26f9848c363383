"""Evaluate a real small model from nothing to the board: `python -m libra.local.demo`.

It starts the system in a folder of its own and SmolLM2 behind its OpenAI-compatible server, runs `examples/demo.yaml`, prints
the board, audits the run, and ends all that it started. It exits 0 only if the audit passes. What it does, it does with the
commands that it shows, so that each can be tried by hand.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from libra.core.errors import LibraError
from libra.local import free_ports, log_files, settings, smollm
from libra.local.system import System

DATA = Path(".libra/demo")
RUN_FILE = Path("examples/demo.yaml")
MODEL_SECONDS = 60.0
"""Until the model answers; it takes two on an idle machine."""
RUN_SECONDS = 240.0
COMMAND_SECONDS = 60.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.2
TAIL_LINES = 20
AUDIT_FAILED = 1


class DemoFailed(LibraError):
    """A step of the demo did not succeed; the message says which."""


@click.command(help=__doc__)
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DATA, help="The data folder.")
@click.option("--run-file", type=click.Path(exists=True, path_type=Path), default=RUN_FILE, help="What to evaluate.")
def main(data: Path, run_file: Path) -> None:
    """Show the whole of it, and end it."""
    signal.signal(signal.SIGTERM, interrupted)
    began = time.monotonic()
    try:
        with up(data), model(data) as url:
            register(data, url)
            evaluate(data, run_file)
            libra(data, "board", seconds=COMMAND_SECONDS)
            audit = libra(data, "audit", "last", seconds=COMMAND_SECONDS, well=(0, 1))
    except LibraError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(AUDIT_FAILED)
    click.echo(f"\nThe demo took {time.monotonic() - began:.0f} s. All it started is ended; its data stays in {data}:")
    click.echo(
        f"`libra --data {data} up` brings it back, `libra --data {data} verdicts last --full` shows every answer."
    )
    sys.exit(AUDIT_FAILED if audit else 0)


@contextmanager
def up(data: Path) -> Iterator[None]:
    """Have the system up; end it afterwards unless it was up before."""
    was_up = bool(System(data).running())
    try:
        libra(data, "up", seconds=RUN_SECONDS)
        yield
    finally:
        if not was_up:
            System(data).stop()


@contextmanager
def model(data: Path) -> Iterator[str]:
    """Serve SmolLM2, and give the URL that it answers at."""
    port = settled_port(data)
    log = data / log_files.FOLDER / "smollm.log"
    command = [sys.executable, "-m", "libra.local.smollm", "--port", str(port)]
    shown(["python", *command[1:], "&"])
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:  # noqa: S603 - ours
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def settled_port(data: Path) -> int:
    """Return the port that the model had here before if it is free, else a new one: its entry names the port."""
    file = data / "smollm.port"
    kept = int(file.read_text()) if file.exists() else 0
    port = kept if kept and free_ports.free(kept) else free_ports.choose(1)[0]
    file.write_text(f"{port}\n")
    return port


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server at `url` says that it is well; DemoFailed with the end of its log if it ends or is late."""
    last = time.monotonic() + MODEL_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=LOOK_SECONDS * 5):  # noqa: S310 - our own URL
                return
        except (urllib.error.URLError, OSError):
            time.sleep(LOOK_SECONDS)
        if process.poll() is not None or time.monotonic() > last:
            raise DemoFailed(f"{smollm.NAME} does not answer. {log} ends:\n{log_files.tail(log, TAIL_LINES)}")


def evaluate(data: Path, run_file: Path) -> None:
    """Run the run file to its end; call the run off if it takes too long, lest it go on at the next start."""
    try:
        libra(data, "run", "create", str(run_file), "--watch", seconds=RUN_SECONDS, well=(0, 1))
    except (LibraError, SystemExit, KeyboardInterrupt):
        libra(data, "run", "cancel", "last", seconds=COMMAND_SECONDS, well=(0, 2))
        raise


def register(data: Path, url: str) -> None:
    """Register the model at this URL; in place of its entry from another time, if it was elsewhere then."""
    entry = ("models", "add", smollm.NAME, "--url", url, "--max-in-flight", str(smollm.SLOTS))
    if libra(data, *entry, seconds=COMMAND_SECONDS, well=(0, 2)):
        libra(data, "models", "remove", smollm.NAME, seconds=COMMAND_SECONDS)
        libra(data, *entry, seconds=COMMAND_SECONDS)


def libra(data: Path, *words: str, seconds: float, well: tuple[int, ...] = (0,)) -> int:
    """Show and run one `libra` command and return its exit code; DemoFailed if that is not among `well`."""
    shown(["libra", *words])
    command = [sys.executable, "-m", "libra.cli", *words]
    try:
        code = subprocess.run(  # noqa: S603 - our own command line
            command, check=False, timeout=seconds, env={**settings.inherited(), "LIBRA_DATA": str(data)}
        ).returncode
    except subprocess.TimeoutExpired:
        raise DemoFailed(f"`libra {shlex.join(words)}` was not done after {seconds:.0f} s") from None
    if code not in well:
        raise DemoFailed(f"`libra {shlex.join(words)}` ended with status {code}")
    return code


def shown(words: list[str]) -> None:
    """Print a command as it would be typed."""
    click.echo(f"\n$ {' '.join(word if word == '&' else shlex.quote(word) for word in words)}")


def interrupted(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    """Leave in order: what was started is ended on the way out."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
