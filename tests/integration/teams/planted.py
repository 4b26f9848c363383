"""Two teams, the tokens of their members, and the things of one team or of all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from tests.integration.support.all_services import ADMIN_SECRET, Client, Services
from tests.integration.teams.cases import TURN, Names, labels

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.rpc.access.caller import Role
from libra.stage.bus import Outgoing
from libra.v1 import (
    annotation_pb2,
    dead_letter_pb2,
    judge_pb2,
    model_pb2,
    ranking_pb2,
    run_pb2,
    schedule_pb2,
    task_pb2,
    token_pb2,
    webhook_pb2,
)
from libra.v1.batch_pb2 import BatchHeader, CompletedTrial, CompletionBatch, Trial
from libra.v1.task_pb2 import JudgeSpec

ROLES = (Role.READER, Role.RUNNER, Role.AUDITOR, Role.ADMIN)
WAIT_SECONDS = 120
LABELLED = [
    judge_pb2.LabelledAnswer(messages=[TURN], text=text, fields={"answer": "crimson"}, positive=text == "crimson")
    for text in ("crimson", "azure", "green", "crimson")
]


@dataclass
class World:
    """The services, and clients with the rights of their callers."""

    services: Services
    nats_url: str
    operator: Client
    """Without a team, with every right."""

    members: dict[tuple[str, Role], Client] = field(default_factory=dict)

    def admin(self, team: str) -> Client:
        """Return the administrator of a team."""
        return self.members[team, Role.ADMIN]


async def create_token(client: Client, name: str, role: int, team: str = "") -> str:
    request = token_pb2.CreateTokenRequest(name=name, role=role, team=team)  # type: ignore[arg-type]  # an enum value
    return str((await client.call("TokenService/CreateToken", request)).secret)


async def import_task(client: Client, name: str, word: str = "") -> Any:
    """Import a task whose samples contain the word."""
    card = f"name: {name}\ncategory: capability\njudge: {{name: exact, options: {{field: answer}}}}\n"
    lines = [
        {"messages": [{"role": "user", "content": f"What is {word or name} {n}?"}], "answer": str(n)} for n in range(3)
    ]

    async def pieces() -> AsyncIterator[task_pb2.ImportTaskRequest]:
        yield task_pb2.ImportTaskRequest(header=task_pb2.ImportTaskHeader(card_yaml=card, file_name="x.jsonl"))
        yield task_pb2.ImportTaskRequest(data="\n".join(map(json.dumps, lines)).encode())

    return await client.call("TaskService/ImportTask", pieces())


async def run_to_its_end(client: Client, spec: run_pb2.RunSpec) -> str:
    run = (await client.call("RunService/CreateRun", run_pb2.CreateRunRequest(spec=spec))).run.id
    return await finished(client, run)


async def finished(client: Client, run: str) -> str:
    async with asyncio.timeout(WAIT_SECONDS):
        while (
            await client.call("RunService/GetRun", run_pb2.GetRunRequest(id=run))
        ).run.state != run_pb2.RUN_STATE_FINISHED:
            await asyncio.sleep(0.2)
    return run


async def plant(world: World, client: Client, word: str, team: str) -> Names:
    """Create one of everything, with the word in each name, and return the names."""
    model, task = f"{word}-model", f"{word}-task"
    created = model_pb2.Model(name=model, provider=model_pb2.PROVIDER_SCRIPTED, remote_model="careful")
    await client.call("ModelService/CreateModel", model_pb2.CreateModelRequest(model=created))
    version = (await import_task(client, task)).task.version
    template = run_pb2.RunSpec(models=[model], tasks=[task], budget=run_pb2.Budget(requests=100))
    both = run_pb2.RunSpec(models=[model, "refuser"], tasks=[task], budget=run_pb2.Budget(requests=100))
    run = await run_to_its_end(client, both)
    verdict = f"{run}/0/{model}/{task}@{version}/none/00000000/0000"
    schedule, trigger = await plant_schedule(client, f"{word}-schedule", template)
    webhook = webhook_pb2.Webhook(name=f"{word}-webhook", url="http://127.0.0.1:9/hook")
    await client.call("WebhookService/CreateWebhook", webhook_pb2.CreateWebhookRequest(webhook=webhook))
    token = f"{word}-token"
    await create_token(client, token, token_pb2.ROLE_READER)
    names = Names(model, task, run, verdict, schedule, trigger, webhook.name, "", 0, token)
    await plant_opinions(client, names, word)
    second = await trigger_schedule(client, names)
    await finished(client, second)
    delivery = await find_delivery(client, webhook.name)
    letter = await plant_dead_letter(world, names, team)
    return Names(model, task, run, verdict, schedule, trigger, webhook.name, delivery, letter, token)


async def plant_schedule(client: Client, name: str, template: run_pb2.RunSpec) -> tuple[str, str]:
    schedule = schedule_pb2.Schedule(name=name, on_trigger=True, template=template)
    request = schedule_pb2.CreateScheduleRequest(schedule=schedule)
    return name, (await client.call("ScheduleService/CreateSchedule", request)).trigger_token


async def trigger_schedule(client: Client, names: Names) -> str:
    """Fire the schedule and return its run."""
    request = schedule_pb2.TriggerScheduleRequest(name=names.schedule, token=names.trigger)
    await client.call("ScheduleService/TriggerSchedule", request)
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            listed = schedule_pb2.ListFiringsRequest(schedule=names.schedule)
            [firing] = (await client.call("ScheduleService/ListFirings", listed)).firings
            if firing.run:
                return str(firing.run)
            assert not firing.reason, firing.reason
            await asyncio.sleep(0.2)


async def plant_opinions(client: Client, names: Names, word: str) -> None:
    """Write a label, an annotation, a capability figure and a calibration."""
    await client.call("LabelService/ImportLabels", labels(names))
    annotation = annotation_pb2.Annotation(verdict=names.verdict, author="ann", text=f"{word} words")
    request = annotation_pb2.CreateAnnotationRequest(annotation=annotation, request_id="1")
    await client.call("AnnotationService/CreateAnnotation", request)
    figure = ranking_pb2.Capability(model=names.model, published=5, scale=word, zero=0, one=10, source=f"{word}.csv")
    await client.call("RankingService/ImportCapabilities", ranking_pb2.ImportCapabilitiesRequest(capabilities=[figure]))
    judge = JudgeSpec(name="exact", options={"field": "answer"})
    calibrate = judge_pb2.CalibrateRequest(judge=judge, answers=LABELLED, labels=f"{word}.csv")
    await client.call("JudgeService/Calibrate", calibrate)


async def find_delivery(client: Client, webhook: str) -> str:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            request = webhook_pb2.ListDeliveriesRequest(webhook=webhook)
            if found := (await client.call("WebhookService/ListDeliveries", request)).deliveries:
                return str(found[0].id)
            await asyncio.sleep(0.2)


async def plant_dead_letter(world: World, names: Names, team: str) -> int:
    """Send a batch that no judge can handle, and return the number of its dead letter."""
    task = names.verdict.split("/")[3]
    header = BatchHeader(run=names.run, model=names.model, task=task, attack="none", team=team)
    header.judge.CopyFrom(JudgeSpec(name="no_judge"))
    batch = CompletionBatch(header=header, trials=[CompletedTrial(trial=Trial(sample=0, messages=[TURN]))])
    bus = await NatsBus.connect(world.nats_url, name="test")
    await bus.publish(Outgoing(streams.WORK_JUDGE, f"test/{names.run}", batch.SerializeToString()), {})
    await bus.close()
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            listed = await world.operator.call(
                "DeadLetterService/ListDeadLetters", dead_letter_pb2.ListDeadLettersRequest()
            )
            for letter in listed.dead_letters:
                request = dead_letter_pb2.GetDeadLetterRequest(id=letter.id)
                got = (await world.operator.call("DeadLetterService/GetDeadLetter", request)).dead_letter
                if names.run in got.json:
                    return int(letter.id)
            await asyncio.sleep(0.2)


async def open_clients(world: World, stack: Any, teams: tuple[str, ...]) -> None:
    """Create a token of each role for each team, the administrator's by the operator and the others by this one."""
    for team in teams:
        for role in reversed(ROLES):
            creator = world.operator if role is Role.ADMIN else world.admin(team)
            number = token_pb2.Role.Value(f"ROLE_{role.upper()}")
            secret = await create_token(creator, f"{team}-{role}", number, team if role is Role.ADMIN else "")
            world.members[team, role] = await stack.enter_async_context(world.services.client(secret))


__all__ = ["ADMIN_SECRET", "ROLES", "World", "create_token", "import_task", "open_clients", "plant", "run_to_its_end"]
