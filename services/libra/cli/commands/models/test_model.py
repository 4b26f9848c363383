"""`libra models test`: ask a model one question, and show what was sent and what came back."""

from __future__ import annotations

import sys

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import CommandError, field_names
from libra.cli.exit_codes import NEEDS_ATTENTION
from libra.cli.render import output
from libra.cli.render.models.model_test import print_test, problem_of
from libra.v1.gateway_pb2 import TestModelRequest, TestModelResponse
from libra.v1.gateway_pb2_grpc import GatewayServiceStub

DEFAULT_SECONDS = 10.0
EXTRA_SECONDS = 10.0
"""The call may last this much longer than the test."""

TEST_FIELDS = {"model": "NAME", "question": "--question", "timeout_seconds": "--timeout"}


@click.command("test")
@click.argument("name")
@click.option("--question", default="", help="The question.  [default: a short harmless one]")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(0, 600, min_open=True),
    default=DEFAULT_SECONDS,
    help="Seconds before the test ends without an answer.  [default: 10]",
)
@output.json_option
@with_client
async def test_model(client: ServiceClient, name: str, question: str, timeout_seconds: float, *, as_json: bool) -> None:
    """Ask a model one question; show what was sent and what came back.

    \b
    libra models test mine
    libra models test mine --question "Who are you?" --timeout 60

    The question goes the way of all requests, within the limits of the model, but nothing is stored, and a failure is
    not tried again. API keys are not shown. The exit code is 1 if the model gave no answer.
    """  # noqa: D301 - click reads the \b
    with field_names(TEST_FIELDS):
        reply = await ask(client, name, question, timeout_seconds)
    if as_json:
        output.print_json(reply)
        if problem_of(reply):
            sys.exit(NEEDS_ATTENTION)
        return
    print_test(reply)
    if problem := problem_of(reply):
        raise CommandError(problem, NEEDS_ATTENTION)


async def ask(
    client: ServiceClient, name: str, question: str = "", timeout_seconds: float = DEFAULT_SECONDS
) -> TestModelResponse:
    """Return the result of a test."""
    request = TestModelRequest(model=name, question=question, timeout_seconds=timeout_seconds)
    seconds = timeout_seconds + EXTRA_SECONDS
    reply: TestModelResponse = await client.call(GatewayServiceStub, "TestModel", request, timeout_seconds=seconds)
    return reply
