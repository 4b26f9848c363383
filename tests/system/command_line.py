"""The command line as a user runs it in a folder.

Commands run in this process, because a process of its own takes each of them most of a second; `test_cli.py` starts
processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from libra.cli.__main__ import main


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The reply that `--json` prints."""
        return json.loads(self.stdout)


@dataclass(frozen=True)
class CommandLine:
    """Runs commands in a folder; without `data` as somebody without a system."""

    folder: Path
    data: Path | None = None

    async def __call__(self, *words: object, code: int = 0) -> Ended:
        """Run a command; fail unless it ends with this exit code."""
        data = ["--data", str(self.data)] if self.data else []
        result = await asyncio.to_thread(self._invoke, [*data, *map(str, words)])
        assert result.exit_code == code, f"{words}: {result.output}"
        return Ended(result.stdout, result.stderr)

    def _invoke(self, command: list[str]) -> Result:
        with contextlib.chdir(self.folder):
            return CliRunner(env={"COLUMNS": "80"}).invoke(main, command)
