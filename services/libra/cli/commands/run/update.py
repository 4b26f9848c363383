"""`libra run update`: change the budget of a run, and the limits of its models, while it runs."""

from __future__ import annotations

from typing import Any

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.run.control import FIELDS, to_budget
from libra.cli.errors import field_names
from libra.cli.model_fields import model_fields
from libra.cli.param_types import COUNT
from libra.cli.render import output
from libra.cli.render.runs.run import run_summary
from libra.cli.run_lookup import find_run, run_argument
from libra.cli.spec_options import add_all, budget_options
from libra.core.errors import Invalid
from libra.v1.model_pb2 import UpdateModelRequest
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.run_control_pb2 import UpdateRunBudgetRequest
from libra.v1.run_control_pb2_grpc import RunControlServiceStub
from libra.v1.run_pb2 import Run

LIMITS = (
    click.option("--model", "models", multiple=True, metavar="NAME", help="Limit this model.  [default: all of them]"),
    click.option("--max-in-flight", type=COUNT, metavar="N", help="Maximum number of concurrent requests to a model."),
    click.option("--requests-per-minute", type=COUNT, metavar="N", help="Maximum number of requests to a model."),
    click.option("--tokens-per-minute", type=COUNT, metavar="N", help="Maximum number of tokens, in and out."),
)


def limit_options(command: Any) -> Any:
    """Add the options that limit requests to the models of a run."""
    return add_all(command, LIMITS)


@click.command()
@run_argument
@budget_options
@limit_options
@output.json_option
@with_client
async def update(
    client: ServiceClient,
    /,
    run_id: str,
    *,
    budget_usd: float | None,
    budget_tokens: int | None,
    budget_requests: int | None,
    models: tuple[str, ...],
    as_json: bool,
    **limits: int | None,
) -> None:
    """Change the budget and the limits of a run while it runs.

    \b
    libra run update last --budget-usd 20
    libra run update last --model mine --max-in-flight 32

    A budget holds for the whole run: what was spent before counts. Limits are those of the models and hold for all
    their runs, as with `libra models update`; gateways use them within seconds.
    """  # noqa: D301 - click reads the \b
    budget = to_budget(budget_usd, budget_tokens, budget_requests)
    changes = {name: limit for name, limit in limits.items() if limit is not None}
    if budget is None and not changes:
        raise Invalid("set at least one limit", field=f"{FIELDS['budget']}, or --max-in-flight")
    run = await find_run(client, run_id)
    names = _limited_models(run, models) if changes else []
    if budget is not None:
        with field_names(FIELDS):
            request = UpdateRunBudgetRequest(id=run.id, budget=budget)
            run = (await client.call(RunControlServiceStub, "UpdateRunBudget", request)).run
    for name in names:
        with model_fields():
            await client.call(ModelServiceStub, "UpdateModel", UpdateModelRequest(name=name, **changes))
    if as_json:
        return output.print_json(run)
    if names:
        click.echo(f"The limits of {', '.join(names)} are changed, for all runs.")
    return click.echo(run_summary(run))


def _limited_models(run: Run, models: tuple[str, ...]) -> list[str]:
    """Return the models to limit. Raises Invalid for one that the run does not ask."""
    spec = run.spec
    known = [name for name in dict.fromkeys([*spec.models, spec.judge_model, spec.attack_model]) if name]
    for name in models:
        if name not in known:
            raise Invalid(f"the run asks {', '.join(known)}, not {name}", field="--model")
    return list(models or spec.models)
