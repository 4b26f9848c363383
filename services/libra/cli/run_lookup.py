"""Finds the run that the user names by its id or as `last`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import click

from libra.cli.client import ServiceClient
from libra.cli.errors import field_names
from libra.core.errors import NotFound
from libra.v1.run_pb2 import GetRunRequest, ListRunsRequest, Run
from libra.v1.run_pb2_grpc import RunServiceStub

LAST = "last"
RUN_HELP = "RUN is the id of a run, or `last` for the newest run."
RUN_FIELDS = {"id": "RUN", "run": "RUN"}
"""The fields of requests that hold the argument RUN."""


def run_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument RUN to the command, and its explanation to the help text."""
    return click.argument("run_id", metavar="RUN")(run_help(command))


def run_help(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the explanation of RUN to the help text of the command."""
    command.__doc__ = f"{inspect.cleandoc(command.__doc__ or '')}\n\n{RUN_HELP}"
    return command


async def find_run(client: ServiceClient, run_id: str) -> Run:
    """Return the run with this id, or the newest run for "last"; raise NotFound."""
    if run_id != LAST:
        with field_names(RUN_FIELDS):
            found: Run = (await client.call(RunServiceStub, "GetRun", GetRunRequest(id=run_id))).run
        return found
    runs = (await client.call(RunServiceStub, "ListRuns", ListRunsRequest(page_size=1))).runs
    if not runs:
        raise NotFound("there is no run yet; `libra run create` starts one", field="RUN")
    newest: Run = runs[0]
    return newest


async def resolve_run_id(client: ServiceClient, run_id: str) -> str:
    """Return the id of the newest run for "last", and any other id unchanged."""
    return (await find_run(client, run_id)).id if run_id == LAST else run_id
