"""Open a round: draw samples, seal them, commit to them. The order of writes leaves no round without a commitment."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from libra.commitment import signature
from libra.commitment.commitment import write_commitment
from libra.commitment.merkle import MerkleTree
from libra.commitment.samples import SALT_BYTES, SampleOrigin, content_hash, salted_hash, sample_json
from libra.core.access import team_scope
from libra.core.errors import FailedPrecondition, Invalid, LibraError
from libra.core.sealed.auditor_key import hash_key, new_key
from libra.dispatch.remote_catalogues import RemoteCatalogues
from libra.dispatch.rounds.plan import TaskPlan, TaskPool, anchor_warnings, plan_task
from libra.dispatch.rounds.releases import RoundReleases
from libra.dispatch.spec.registry import Registry, task_reference
from libra.dispatch.spec.run_spec import select_tasks
from libra.store.client import Store
from libra.store.rounds.round_samples import RoundSample
from libra.store.rounds.rounds import OPENING, RoundRecord
from libra.v1.round_pb2 import OpenRoundRequest
from libra.v1.task_pb2 import Sample, Task

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
VERSION = re.compile(r"[0-9a-f]{12}")
SEED_BYTES = 32
DEFAULT_SHARE, MIN_SHARE, MAX_SHARE = 0.15, 0.1, 0.2
MAX_SAMPLES = 200_000
"""The most samples of a round: all are in memory once, while it is opened."""

PAGE_SAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class OpenedRound:
    """A round that was opened."""

    record: RoundRecord
    auditor_key: str
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class SealedTask:
    """The samples of one task of the new round."""

    card: Task
    samples: Sequence[Sample]
    entries: Sequence[RoundSample]


class RoundOpener:
    """Opens rounds. A round that cannot be opened leaves nothing behind."""

    def __init__(self, store: Store, catalogues: RemoteCatalogues, releases: RoundReleases) -> None:
        self._store, self._catalogues, self._releases = store, catalogues, releases

    async def open(self, request: OpenRoundRequest) -> OpenedRound:
        """Draw, seal and publish; errors as in RoundService.OpenRound."""
        share = check_request(request)
        tasks = await self._select_tasks(request.tasks)
        if request.samples_per_task * len(tasks) > MAX_SAMPLES:
            raise Invalid(f"a round has at most {MAX_SAMPLES:,} samples; draw fewer", field="samples_per_task")
        await self._check_unused(tasks)
        await self._remove_abandoned()
        previous = await self._find_previous()
        seed = secrets.token_bytes(SEED_BYTES)
        pools = await self._load_pools(tasks, previous)
        plans = [plan_task(seed, pool, request.samples_per_task, share) for pool in pools]
        sealed = await self._seal(request.name, plans, tasks)
        key = new_key()
        record, commitment = await self._commit(request.name, seed, plans, sealed, previous, hash_key(key))
        stored = await self._store_round(record, sealed, commitment)
        if previous:
            await self._releases.settle(previous.name)
        return OpenedRound(stored, key, anchor_warnings(plans, share, previous.name if previous else ""))

    async def _select_tasks(self, selectors: Sequence[str]) -> list[Task]:
        with team_scope.acting_for(team_scope.SHARED):  # everybody sees a round
            tasks_by_name = await self._catalogues.load_tasks(selectors)
        registry = Registry(frozenset(), tasks_by_name, {}, {})
        try:
            tasks = select_tasks(selectors, registry)
        except Invalid as error:
            raise Invalid(error.message, field=error.field.removeprefix("spec.")) from None
        for task, following in pairwise(tasks):
            if task.name == following.name:
                raise Invalid(f"a round draws from one version of {task.name}; name only one", field="tasks")
        for task in tasks:
            if task.round:
                raise Invalid(f"{task_reference(task)} are the samples of a round; name the task", field="tasks")
        return tasks

    async def _check_unused(self, tasks: Sequence[Task]) -> None:
        """Raise FailedPrecondition while a run uses one of the tasks: its batches are not sealed."""
        names = {task.name for task in tasks}
        for record in await self._store.runs.list_running():
            unsealed = {section.task.partition("@")[0] for section in record.sections if not section.sealed}
            if used := sorted(names & unsealed):
                raise FailedPrecondition(
                    f"the run {record.run.id} uses {', '.join(used)} unsealed; wait for its end or cancel it",
                    field="tasks",
                )

    async def _remove_abandoned(self) -> None:
        for record in await self._store.rounds.list_abandoned():
            await self._remove(record)

    async def _remove(self, record: RoundRecord) -> None:
        """Delete a round that was never published; its record last, so that an interruption is repeated."""
        await self._store.tasks.delete_round(record.name)
        await self._store.round_samples.delete_round(record.name)
        await self._store.rounds.cancel(record)

    async def _find_previous(self) -> RoundRecord | None:
        return next(iter(await self._store.rounds.list(limit=1)), None)

    async def _load_pools(self, tasks: Sequence[Task], previous: RoundRecord | None) -> list[TaskPool]:
        reserved = await self._store.round_samples.list(previous.name) if previous else []
        candidates = [each for each in reserved if each.reserved and not each.released]
        seen: set[str] = set()  # of all tasks: a text that two tasks have is drawn once
        return [await self._load_pool(task, candidates, seen) for task in tasks]

    async def _load_pool(self, task: Task, candidates: Sequence[RoundSample], seen: set[str]) -> TaskPool:
        """Return the samples of a task that no round has drawn, and those that the last round reserved."""
        eligible: list[int] = []
        async for page in self._pages(task):
            contents = {sample.ordinal: content_hash(sample) for sample in page}
            drawn = await self._store.round_samples.find_drawn(contents.values())
            for ordinal, content in contents.items():
                if content not in drawn and content not in seen:
                    eligible.append(ordinal)
                seen.add(content)
        return TaskPool(task, eligible, [each for each in candidates if each.task == task.name])

    async def _pages(self, task: Task) -> AsyncIterator[list[Sample]]:
        first, ref = 0, task_reference(task)
        while page := await self._store.tasks.list_samples(ref, first=first, limit=PAGE_SAMPLES):
            yield page
            first = page[-1].ordinal + 1

    async def _seal(self, name: str, plans: Sequence[TaskPlan], tasks: Sequence[Task]) -> list[SealedTask]:
        sealed: list[SealedTask] = []
        for plan, task in zip(plans, tasks, strict=True):
            texts = await self._load_texts(plan)
            first = sum(len(each.entries) for each in sealed)
            # In a thread: to hash some ten thousand samples takes a second, and other calls go on meanwhile.
            sealed.append(await asyncio.to_thread(seal_task, name, plan, task, texts, first))
        return sealed

    async def _load_texts(self, plan: TaskPlan) -> list[Sample]:
        """Return the samples of the plan, in its order."""
        ordinals: dict[str, list[int]] = {}
        for planned in plan.samples:
            ordinals.setdefault(planned.source, []).append(planned.ordinal)
        texts = {
            source: iter(await self._store.tasks.get_samples(source, wanted)) for source, wanted in ordinals.items()
        }
        return [next(texts[planned.source]) for planned in plan.samples]

    async def _commit(
        self,
        name: str,
        seed: bytes,
        plans: Sequence[TaskPlan],
        sealed: Sequence[SealedTask],
        previous: RoundRecord | None,
        key_hash: str,
    ) -> tuple[RoundRecord, bytes]:
        """Return the record of the round, reserved in the store, and its signed commitment."""
        signing_key = await self._store.load_signing_key()
        draws = [plan.draw for plan in plans]
        leaves = [entry.leaf for task in sealed for entry in task.entries]
        record = await self._store.rounds.reserve(
            RoundRecord(
                name=name,
                seed=seed,
                state=OPENING,
                canary=f"LIBRA ROUND CANARY {uuid.uuid4()}",
                key_hash=key_hash,
                merkle_root=MerkleTree(leaves).root.hex(),
                public_key=signature.public_key(signing_key).hex(),
                tasks=draws,
                samples=len(leaves),
                follows=previous.name if previous and any(draw.anchors for draw in draws) else "",
            )
        )
        return record, write_commitment(
            round_name=name,
            canary=record.canary,
            seed=seed,
            leaves=leaves,
            tasks=draws,
            follows=record.follows,
            open_time=record.open_time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            key=signing_key,
        )

    async def _store_round(self, record: RoundRecord, sealed: Sequence[SealedTask], commitment: bytes) -> RoundRecord:
        """Store the samples of a reserved round and publish it; remove it again if that fails."""
        try:
            for task in sealed:
                await self._store.round_samples.add(task.entries)
                await self._store.tasks.add(task.card, task.samples)
            return await self._store.rounds.publish(record, commitment)
        except BaseException:
            with contextlib.suppress(LibraError):  # otherwise the next opening removes it
                await self._remove(record)
            raise


def check_request(request: OpenRoundRequest) -> float:
    """Return the share of anchors; raise Invalid for a field that is wrong by itself."""
    if not NAME.fullmatch(request.name):
        raise Invalid(
            f"{request.name!r:.80} is no name of a round: 1 to 40 letters, digits, '.', '_' and '-', such as 2027Q1",
            field="name",
        )
    if VERSION.fullmatch(request.name):
        raise Invalid(f"{request.name} looks like the version of a task; choose another name", field="name")
    if not request.tasks:
        raise Invalid('name at least one task; "*" selects every task', field="tasks")
    if request.samples_per_task < 1:
        raise Invalid(f"it must be 1 or more, not {request.samples_per_task}", field="samples_per_task")
    share = request.anchor_share if request.HasField("anchor_share") else DEFAULT_SHARE
    if share and not MIN_SHARE <= share <= MAX_SHARE:
        raise Invalid(f"it must be 0, or from {MIN_SHARE} to {MAX_SHARE}, not {share:g}", field="anchor_share")
    return share


def seal_task(name: str, plan: TaskPlan, task: Task, texts: Sequence[Sample], first_index: int) -> SealedTask:
    """Return the samples of a task in a round, each with a random salt and its salted hash."""
    card = Task()
    card.CopyFrom(task)
    card.ClearField("create_time")
    card.version, card.round, card.sample_count = name, name, len(texts)
    samples, entries = [], []
    for ordinal, (planned, text) in enumerate(zip(plan.samples, texts, strict=True)):
        sample = Sample(ordinal=ordinal, id=text.id, messages=text.messages, fields=text.fields)
        anchor, salt = planned.anchor, secrets.token_bytes(SALT_BYTES)
        origin = SampleOrigin(
            task.name,
            ordinal,
            anchor.source if anchor else planned.source,
            anchor.source_ordinal if anchor else planned.ordinal,
            is_anchor=anchor is not None,
        )
        samples.append(sample)
        entries.append(
            RoundSample(
                round=name,
                index=first_index + ordinal,
                task=task.name,
                ordinal=ordinal,
                salt=salt,
                leaf=salted_hash(salt, sample_json(name, origin, sample)),
                content=content_hash(text),
                source=origin.source,
                source_ordinal=origin.source_ordinal,
                anchor=origin.is_anchor,
                reserved=planned.reserved,
            )
        )
    return SealedTask(card, samples, entries)
