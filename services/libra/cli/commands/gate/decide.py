"""Orders samples in steps until a gate decides: each step is a run with twice as many samples."""

from __future__ import annotations

from dataclasses import dataclass

import click
from ulid import ULID

from libra.cli.client import SAMPLE_QUERY_SECONDS, ServiceClient
from libra.cli.commands.run.watch import WATCHED_RUN
from libra.cli.render import output
from libra.cli.render.gates.gate_report import DECISIONS
from libra.cli.render.runs.progress import new_reporter
from libra.cli.run_lookup import find_run
from libra.cli.run_watch import watch
from libra.core.errors import FailedPrecondition, Invalid
from libra.v1.gate_pb2 import CheckGateRequest, CheckGateResponse, GateDecision
from libra.v1.gate_pb2_grpc import GateServiceStub
from libra.v1.run_pb2 import CreateRunRequest, Run, RunSpec, RunState
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2 import GetTaskRequest
from libra.v1.task_pb2_grpc import TaskServiceStub

INCONCLUSIVE = GateDecision.GATE_DECISION_INCONCLUSIVE
GROWTH = 2
"""Ratio of the samples of successive steps: the answers to earlier ones are stored."""


@dataclass(frozen=True, slots=True)
class DecidePlan:
    """The number of samples to order, and how to draw them."""

    first_samples: int
    """Samples per task in the first step, unless a run is given."""

    max_samples: int | None
    """Samples per task in the last step; None for all."""

    seed: int | None
    """The seed of the selection; None for that of the given run, or 0."""

    fresh: bool
    """Whether every answer is requested anew."""


async def decide(client: ServiceClient, request: CheckGateRequest, plan: DecidePlan) -> CheckGateResponse:
    """Return the first decision that is not INCONCLUSIVE, or the last one when there are no more samples."""
    template, samples = await _prepare(client, request, plan)
    if not request.runs:
        request.runs.append((await _run_step(client, template, samples)).id)
    reply = await _check(client, request, samples)
    largest = await _find_largest(client, request, plan)
    while reply.decision == INCONCLUSIVE:
        if samples == 0 or samples >= largest:
            output.print_note("no more samples may be ordered: the tasks, the baseline or --max-samples have no more")
            break
        samples = min(samples * GROWTH, largest)
        request.runs.append((await _run_step(client, template, samples)).id)
        reply = await _check(client, request, samples)
    return reply


async def _prepare(client: ServiceClient, request: CheckGateRequest, plan: DecidePlan) -> tuple[RunSpec, int]:
    """Return what each step runs, and the samples per task of the first step; 0 for all."""
    policy = request.policy
    given = [*request.runs, *policy.baseline.runs]
    template, samples = RunSpec(tasks=policy.tasks, attacks=policy.attacks), plan.first_samples
    if len(request.runs) > 1:
        raise Invalid("--decide begins with one run at most", field="runs")
    if given:
        template.CopyFrom((await find_run(client, given[0])).spec)
    elif not policy.tasks:
        raise Invalid(
            "--decide must know which tasks to run: name them, or give a --run to begin with", field="policy.tasks"
        )
    if request.runs:
        samples = template.samples_per_task
    elif plan.max_samples:
        samples = min(samples, plan.max_samples)
    template.models[:] = [request.model]
    if policy.baseline.model not in ("", request.model) and not policy.baseline.runs:
        template.models.append(policy.baseline.model)
    template.name = f"gate {policy.name}".strip()
    template.fresh = template.fresh or plan.fresh
    if plan.seed is not None:
        template.seed = plan.seed
    return template, samples


async def _find_largest(client: ServiceClient, request: CheckGateRequest, plan: DecidePlan) -> int:
    """Return the most samples per task that a step can use: of the largest task, the baseline's run and the plan."""
    tasks = (await find_run(client, request.runs[0])).spec.tasks
    sizes = [
        (await client.call(TaskServiceStub, "GetTask", GetTaskRequest(name=name))).task.sample_count for name in tasks
    ]
    limits = [max(sizes, default=0), plan.max_samples or 0]
    if request.policy.baseline.runs:
        limits.append((await find_run(client, request.policy.baseline.runs[0])).spec.samples_per_task)
    return min((limit for limit in limits if limit), default=0)


async def _run_step(client: ServiceClient, template: RunSpec, samples: int) -> Run:
    """Run the models on this number of samples of each task, to the end.

    Raises FailedPrecondition if the run is cancelled.
    """
    template.samples_per_task = samples
    reply = await client.call(RunServiceStub, "CreateRun", CreateRunRequest(spec=template, request_id=str(ULID())))
    click.get_current_context().meta[WATCHED_RUN] = reply.run.id
    for warning in reply.warnings:
        output.print_note(f"note: {warning}")
    output.print_note(f"run {reply.run.id}: {samples} samples per task")
    with new_reporter() as reporter:
        ended = await watch(client, reply.run, reporter)
    if ended.state != RunState.RUN_STATE_FINISHED:
        raise FailedPrecondition(f"the run {ended.id} was cancelled, so the gate has not decided")
    return ended


async def _check(client: ServiceClient, request: CheckGateRequest, samples: int) -> CheckGateResponse:
    reply: CheckGateResponse = await client.call(
        GateServiceStub, "CheckGate", request, timeout_seconds=SAMPLE_QUERY_SECONDS
    )
    output.print_note(f"{samples or 'all'} samples per task: {DECISIONS[reply.decision]}")
    return reply
