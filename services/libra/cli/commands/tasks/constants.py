"""`libra tasks constants`: what answers that ignore the question would score."""

from __future__ import annotations

import random

import click

from libra.cli.client import MAX_PAGE, SAMPLE_QUERY_SECONDS, ServiceClient, with_client
from libra.cli.commands.tasks.list import find_entry, load_catalogue
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.tasks.constants import constants_table, footnotes
from libra.core.errors import NotFound
from libra.v1.judge_pb2 import ScoreConstantsRequest, ScoreConstantsResponse, TaskConstants
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.task_pb2 import GetTaskRequest, ListSamplesRequest, ListTasksRequest, Sample, Task
from libra.v1.task_pb2_grpc import TaskServiceStub

MAX_SAMPLES = 2_000
READ_SAMPLES = 20_000
"""Of a larger task, only the first samples are read, from which those to answer are drawn."""

SEED = 0
FIELD_NAMES = {"name": "TASK", "samples": "--samples"}


@click.command()
@click.argument("names", metavar="[TASK]...", nargs=-1)
@click.option(
    "--samples",
    "limit",
    type=click.IntRange(1, MAX_SAMPLES),
    default=500,
    show_default=True,
    help="The most samples of a task to answer, drawn at random.",
)
@click.option(
    "--bound",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.6,
    show_default=True,
    help="Mark a constant answer that scores above this.",
)
@output.json_option
@with_client
async def constants(client: ServiceClient, names: tuple[str, ...], limit: int, bound: float, *, as_json: bool) -> None:
    """Score answers that ignore the question.

    \b
    libra tasks constants
    libra tasks constants xstest truthful_qa_mc1 --json

    Every sample of TASK is answered with "yes", then with "no", "A", a refusal, and words that say nothing, in the
    language of the task. The judge of the task scores these answers. On a sound task none of them scores high. No model
    is asked, and nothing is stored.

    Without TASK, all imported and built-in tasks are checked, in their newest versions.
    """  # noqa: D301 - click reads the \b
    response = ScoreConstantsResponse()
    with field_names(FIELD_NAMES):
        for task in await find_tasks(client, names):
            response.tasks.append(await score_task(client, task, limit, bound))
    if as_json:
        return output.print_json(response)
    output.print_table(constants_table(response.tasks), empty="no task is imported")
    missing = 0 if names else await count_missing(client)
    return output.print_paragraphs(footnotes(response.tasks, bound, missing))


async def find_tasks(client: ServiceClient, names: tuple[str, ...]) -> list[Task]:
    """Return the named tasks, or the newest version of each; one of the catalogue without samples has no version."""
    if names:
        return [await find_task(client, name) for name in names]
    request = ListTasksRequest(page_size=1000)
    return list((await client.list_all(TaskServiceStub, "ListTasks", request, "tasks")).tasks)


async def find_task(client: ServiceClient, name: str) -> Task:
    """Return an imported task, or one of the catalogue; raise NotFound with the nearest names."""
    try:
        found: Task = (await client.call(TaskServiceStub, "GetTask", GetTaskRequest(name=name))).task
    except NotFound as missing:
        try:
            found = (await find_entry(client, name)).task
        except NotFound:
            raise missing from None
    return found


async def score_task(client: ServiceClient, task: Task, limit: int, bound: float) -> TaskConstants:
    """Return the scores on one task."""
    if not task.version:
        reason = f"it has no samples here: `libra tasks import --as {task.name}` imports them"
        return TaskConstants(task=task.name, category=task.category, judge=task.judge.name, not_tried=reason)
    samples = await draw_samples(client, task, limit)
    request = ScoreConstantsRequest(task=task, samples=samples, bound=bound)
    reply: ScoreConstantsResponse = await client.call(
        JudgeServiceStub, "ScoreConstants", request, timeout_seconds=SAMPLE_QUERY_SECONDS
    )
    return reply.tasks[0]


async def draw_samples(client: ServiceClient, task: Task, limit: int) -> list[Sample]:
    """Return samples of the task, drawn at random with a fixed seed: neighbours often have the same gold label."""
    request = ListSamplesRequest(task=f"{task.name}@{task.version}", page_size=MAX_PAGE)
    found = await client.list_all(TaskServiceStub, "ListSamples", request, "samples", limit=READ_SAMPLES)
    chosen = random.Random(SEED).sample(range(len(found.samples)), min(limit, len(found.samples)))  # noqa: S311 - no secret
    return [found.samples[index] for index in sorted(chosen)]


async def count_missing(client: ServiceClient) -> int:
    """Return the number of tasks of the catalogue that have no samples here."""
    entries = (await load_catalogue(client)).entries
    return sum(not entry.imported for entry in entries)
