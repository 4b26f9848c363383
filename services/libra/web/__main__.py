"""Runs the pages."""

from __future__ import annotations

from libra.process.lifecycle import run_process
from libra.web.server.lifecycle import run
from libra.web.settings import Settings

if __name__ == "__main__":
    raise SystemExit(run_process("web", settings=Settings, run=run))
