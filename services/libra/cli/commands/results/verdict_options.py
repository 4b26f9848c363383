"""The options of `libra verdicts` that select verdicts, and the check of names that select none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from libra.cli.client import ServiceClient
from libra.cli.run_lookup import RUN_FIELDS
from libra.core.attack_names import PLAIN
from libra.core.category_names import CATEGORIES
from libra.core.errors import NotFound
from libra.core.outcome_names import OUTCOMES
from libra.core.response_names import RESPONSES
from libra.v1.judge_pb2 import Judge, ListJudgesRequest
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.ranking_pb2 import ListVerdictsRequest
from libra.v1.run_pb2 import GetRunRequest, RunSpec
from libra.v1.run_pb2_grpc import RunServiceStub

NAMED_FIELDS: Mapping[str, Mapping[str, int]] = {"outcome": OUTCOMES, "category": CATEGORIES, "response": RESPONSES}
SCORE = click.FloatRange(0, 1)

OPTIONS = (
    click.option("--model", default="", help="Only verdicts of this model."),
    click.option("--task", default="", metavar="NAME", help="Only verdicts of this task, a name or name@version."),
    click.option("--attack", default="", help="Only verdicts under this attack; none is the plain prompt."),
    click.option(
        "--category",
        type=click.Choice(list(CATEGORIES)),
        metavar="CATEGORY",
        help=f"Only verdicts of this category: {', '.join(CATEGORIES)}.",
    ),
    click.option("--outcome", type=click.Choice(list(OUTCOMES)), help="Only verdicts with this outcome."),
    click.option(
        "--response",
        type=click.Choice(list(RESPONSES)),
        metavar="CLASS",
        help=f"Only verdicts on this class of response: {', '.join(RESPONSES)}.",
    ),
    click.option("--label", default="", help="Only verdicts with this label, for instance refused."),
    click.option("--judge", default="", metavar="NAME", help="Only verdicts of this judge, a name or name@version."),
    click.option("--min-score", type=SCORE, metavar="SCORE", help="Only verdicts with at least this score, 0 to 1."),
    click.option("--max-score", type=SCORE, metavar="SCORE", help="Only verdicts with at most this score, 0 to 1."),
    click.option(
        "--text",
        default="",
        help="Only verdicts with this text in the conversation, the answer, the attack or the judge's reason.",
    ),
    click.option("--reason", default="", help="Only verdicts with this reason, as the page of the run lists failures."),
)

FIELD_NAMES = {
    **RUN_FIELDS,
    **{name: f"--{name.replace('_', '-')}" for name in ListVerdictsRequest.DESCRIPTOR.fields_by_name if name != "run"},
    "auditor_key": "--auditor-key-file",
}
"""The option by the field of the request."""


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that select verdicts."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def to_request(run: str, values: Mapping[str, Any]) -> ListVerdictsRequest:
    """Return the request for the verdicts of a run that the options select."""
    request = ListVerdictsRequest(run=run)
    for name, value in values.items():
        if value is not None and value != "":
            setattr(request, name, NAMED_FIELDS[name][value] if name in NAMED_FIELDS else value)
    return request


async def check_names(client: ServiceClient, request: ListVerdictsRequest) -> None:
    """Raise NotFound for the first name that no verdict of the run can have, with those that exist."""
    names = ("model", "task", "attack", "judge", "label")
    if not any(getattr(request, name) for name in names):
        return
    run = (await client.call(RunServiceStub, "GetRun", GetRunRequest(id=request.run))).run
    judges = (await client.call(JudgeServiceStub, "ListJudges", ListJudgesRequest())).judges
    known = known_names(run.spec, judges)
    for name in names:
        value = getattr(request, name)
        if value and value not in known[name]:
            shown = sorted({each.partition("@")[0] for each in known[name]})
            raise NotFound.named(name, value, shown, field=name)


def known_names(spec: RunSpec, judges: Sequence[Judge]) -> dict[str, set[str]]:
    """Return the names that verdicts of a run can have, by filter; tasks and judges also with their versions."""
    return {
        "model": set(spec.models),
        "task": {name for task in spec.tasks for name in (task, task.partition("@")[0])},
        "attack": {PLAIN, *spec.attacks},
        "judge": {name for judge in judges for name in (judge.name, f"{judge.name}@{judge.version}")},
        "label": {label for judge in judges for label in judge.labels},
    }
