"""Evaluate a real small model, from an empty folder to the leaderboard: `python -m libra.local.demo`.

The demo starts the system in its own data folder and SmolLM2 behind an OpenAI-compatible server, evaluates
`examples/demo.yaml`, prints the leaderboard, audits the run, stops the model, and prints the address of the page with
the run. The system continues to run. The demo prints each command that it runs, so that you can run it by hand. The
exit code is 0 only if the audit passes; after an error, everything that was started is stopped.
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
from libra.local.private_files import open_private
from libra.local.system import System
from libra.local.topology import HOST

DATA = Path(".libra/demo")
RUN_FILE = Path("examples/demo.yaml")
MODEL_SECONDS = 60.0
"""Time in which the model's server must be ready; it takes 2 s on an idle machine."""
RUN_SECONDS = 240.0
COMMAND_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.2
HEALTH_SECONDS = 1.0
"""Timeout of one health check of the model's server."""
TAIL_LINES = 20
FAILED = 1


class DemoFailed(LibraError):
    """A step of the demo failed; the message says which."""


@click.command(help=__doc__)
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DATA, help="Data folder.")
@click.option(
    "--run-file", type=click.Path(exists=True, path_type=Path), default=RUN_FILE, help="Run file to evaluate."
)
def main(data: Path, run_file: Path) -> None:
    """Run the demo and exit."""
    signal.signal(signal.SIGTERM, exit_on_signal)
    began = time.monotonic()
    try:
        with running_system(data), running_model(data) as url:
            register(data, url)
            evaluate(data, run_file)
            run_libra(data, "board", seconds=COMMAND_SECONDS)
            audit_code = run_libra(data, "audit", "last", seconds=COMMAND_SECONDS, accepted=(0, 1))
            page = System(data).pages_url
    except LibraError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(FAILED)
    click.echo(f"\nThe demo took {time.monotonic() - began:.0f} s.")
    click.echo(
        f"`libra --data {data} verdicts last --full` shows every answer, `libra --data {data} down` stops Libra."
    )
    click.echo(f"The page with the run: {page}/?run=last")
    sys.exit(FAILED if audit_code else 0)


@contextmanager
def running_system(data: Path) -> Iterator[None]:
    """Run the system inside the `with` block and after it; stop it after an error unless it ran before."""
    ran_before = bool(System(data).running())
    try:
        run_libra(data, "up", seconds=RUN_SECONDS)
        yield
    except BaseException:
        if not ran_before:
            System(data).stop()
        raise


@contextmanager
def running_model(data: Path) -> Iterator[str]:
    """Serve SmolLM2 inside the `with` block; the value is the URL of its API."""
    port = model_port(data)
    log = data / log_files.FOLDER / "smollm.log"
    command = [sys.executable, "-m", "libra.local.smollm", "--port", str(port)]
    print_command(["python", *command[1:], "&"])
    with open_private(log, "wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:  # noqa: S603 - ours
        try:
            wait_until_ready(f"http://{HOST}:{port}/health", process, log)
            yield f"http://{HOST}:{port}/v1"
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def model_port(data: Path) -> int:
    """Return the port of the previous demo in this folder if it is free, else a new one.

    The registered model names the port, so with the same port it need not be registered again.
    """
    file = data / "smollm.port"
    previous = int(file.read_text()) if file.exists() else 0
    port = previous if previous and free_ports.is_free(previous) else free_ports.choose(1)[0]
    file.write_text(f"{port}\n")
    return port


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when `url` answers; DemoFailed with the end of the log if the process ends or exceeds MODEL_SECONDS."""
    deadline = time.monotonic() + MODEL_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=HEALTH_SECONDS):  # noqa: S310 - our own URL
                return
        except (urllib.error.URLError, OSError):
            time.sleep(POLL_SECONDS)
        if process.poll() is not None or time.monotonic() > deadline:
            raise DemoFailed(f"{smollm.NAME} did not start. The end of {log}:\n{log_files.tail(log, TAIL_LINES)}")


def evaluate(data: Path, run_file: Path) -> None:
    """Create the run and wait for its end; cancel it on an error, because it would continue at the next start."""
    try:
        run_libra(data, "run", "create", str(run_file), "--watch", seconds=RUN_SECONDS, accepted=(0, 1))
    except (LibraError, SystemExit, KeyboardInterrupt):
        run_libra(data, "run", "cancel", "last", seconds=COMMAND_SECONDS, accepted=(0, 2))
        raise


def register(data: Path, url: str) -> None:
    """Register the model at this URL; replace a registration of a previous demo that has another URL."""
    command = ("models", "add", smollm.NAME, "--no-test", "--url", url, "--max-in-flight", str(smollm.SLOTS))
    if run_libra(data, *command, seconds=COMMAND_SECONDS, accepted=(0, 2)):
        run_libra(data, "models", "remove", smollm.NAME, seconds=COMMAND_SECONDS)
        run_libra(data, *command, seconds=COMMAND_SECONDS)


def run_libra(data: Path, *words: str, seconds: float, accepted: tuple[int, ...] = (0,)) -> int:
    """Print and run one `libra` command; return its exit code, or raise DemoFailed if the code is not in `accepted`."""
    print_command(["libra", *words])
    command = [sys.executable, "-m", "libra.cli", *words]
    try:
        code = subprocess.run(  # noqa: S603 - our own command line
            command, check=False, timeout=seconds, env={**settings.inherited_environment(), "LIBRA_DATA": str(data)}
        ).returncode
    except subprocess.TimeoutExpired:
        raise DemoFailed(f"`libra {shlex.join(words)}` took longer than {seconds:.0f} s") from None
    if code not in accepted:
        raise DemoFailed(f"`libra {shlex.join(words)}` ended with exit code {code}")
    return code


def print_command(words: list[str]) -> None:
    """Print a command in the form in which a user types it."""
    click.echo(f"\n$ {' '.join(word if word == '&' else shlex.quote(word) for word in words)}")


def exit_on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a signal handler
    """Exit with an exception, so that the `with` blocks stop what they started."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
