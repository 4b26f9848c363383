"""The argument POLICY, and the names under which errors show the fields of a policy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from libra.cli.files.policy_file import PolicyFile, parse_policy
from libra.cli.param_types import EXISTING_FILE

OPTIONS = {"model": "MODEL", "models": "--model", "runs": "--run", "repetitions": "--repetitions", "seed": "--seed"}
BASELINE_OPTIONS = {"policy.baseline.model": "--baseline", "policy.baseline.runs": "--baseline-run"}


def policy_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument POLICY, and the options that replace its baseline."""
    for option in (
        click.option(
            "--baseline-run",
            "baseline_runs",
            multiple=True,
            metavar="RUN",
            help="Only this run of the baseline; repeatable.",
        ),
        click.option("--baseline", metavar="MODEL", help="Compare with this model.  [default: as the policy says]"),
        click.argument("policy", type=EXISTING_FILE),
    ):
        command = option(command)
    return command


def read_policy(path: Path, baseline: str | None, baseline_runs: list[str]) -> PolicyFile:
    """Return the policy in the file, with the baseline that the options name; raise Invalid."""
    file = parse_policy(path.read_bytes(), str(path))
    if baseline:
        file.policy.baseline.model = baseline
        del file.policy.baseline.runs[:]
    if baseline_runs:
        file.policy.baseline.runs[:] = baseline_runs
    return file


def field_namer(file: PolicyFile, *, has_options: bool) -> Callable[[str], str]:
    """Return what names a field of a request as the user wrote it: as an argument, an option, or a line of the file."""

    def name_of(field: str) -> str:
        path = field.partition("[")[0]
        if path in OPTIONS:
            return OPTIONS[path]
        if has_options and path in BASELINE_OPTIONS:
            return BASELINE_OPTIONS[path]
        return file.location_of(field) if path.startswith("policy") else field

    return name_of
