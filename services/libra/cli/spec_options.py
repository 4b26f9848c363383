"""The options of every command that makes the spec of a run: `libra run create`, `run estimate`, `schedule create`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from libra.cli.param_types import INT32, INT64

F = TypeVar("F", bound=Callable[..., Any])

BUDGET_OPTIONS = (
    click.option("--budget-usd", type=float, metavar="USD", help="The most that may be spent, in US dollars."),
    click.option("--budget-tokens", type=INT64, metavar="N", help="The most tokens of prompts and answers."),
    click.option("--budget-requests", type=INT64, metavar="N", help="The most requests to models."),
)

OPTIONS = (
    click.option("--name", help="A name for the run; it need not be unique."),
    click.option("--model", "models", multiple=True, metavar="NAME", help="A registered model; repeatable."),
    click.option(
        "--task",
        "tasks",
        multiple=True,
        metavar="NAME",
        help="A task, name@version, a category, or '*' for all; repeatable.",
    ),
    click.option(
        "--attack", "attacks", multiple=True, metavar="NAME", help="An attack; none is the plain prompt; repeatable."
    ),
    click.option(
        "--samples", "samples_per_task", type=INT32, help="Samples per task, selected by the seed.  [default: all]"
    ),
    click.option("--epochs", type=INT32, help="Repetitions of each sample.  [default: 1]"),
    click.option("--seed", type=INT64, help="Seeds the selection of samples and the attacks.  [default: 0]"),
    click.option("--temperature", type=float, help="0 gives the most likely answer.  [default: the endpoint's]"),
    click.option("--top-p", type=float, help="Nucleus sampling, above 0 and at most 1.  [default: the endpoint's]"),
    click.option("--max-tokens", type=INT32, help="Maximum number of tokens in an answer.  [default: 512]"),
    click.option("--judge-model", metavar="NAME", help="The registered model for judges that use one."),
    click.option("--attack-model", metavar="NAME", help="The registered model for attacks that use one."),
    click.option(
        "--judge",
        "judges",
        multiple=True,
        metavar="TASK=JUDGE",
        help="A judge that replaces the task's own; repeatable.",
    ),
    click.option("--round", metavar="NAME", help="Evaluate the samples of this open round, and only these."),
    click.option("--fresh", is_flag=True, default=None, help="Request every answer anew; reuse no stored answers."),
    *BUDGET_OPTIONS,
)


def spec_options(command: F) -> F:
    """Add the options to a command, which passes their values to `libra.cli.files.run_spec.combine`."""
    return add_all(command, OPTIONS)


def budget_options(command: F) -> F:
    """Add the options of a budget, which a run has at its creation and may get later."""
    return add_all(command, BUDGET_OPTIONS)


def add_all(command: F, options: Sequence[Callable[[F], F]]) -> F:
    """Add the options in their order."""
    for option in reversed(options):
        command = option(command)
    return command
