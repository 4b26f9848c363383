"""TaskService: import and list tasks, and list their samples."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

import grpc.aio
import structlog

from libra.core.access import team_scope
from libra.core.errors import Invalid, NotFound
from libra.core.sealed.sealing import redact_sample
from libra.core.taxonomy.proto_mapping import tags_of_task_to_proto
from libra.dispatch.catalogue import importer, index
from libra.dispatch.spec.judge_fields import FIELD_OPTION, PER_SAMPLE
from libra.dispatch.spec.registry import MAX_TASKS, task_reference
from libra.dispatch.tasks import builtin, card, sample_records, task_version
from libra.dispatch.tasks.column_mapping import ColumnMapping, parse_mapping
from libra.dispatch.tasks.file_forms import check_size
from libra.dispatch.tasks.gold_labels import GoldLabels
from libra.dispatch.tasks.required_field import RequiredField
from libra.rpc import paging
from libra.store.client import Store
from libra.telemetry.log_actions import Action
from libra.v1 import task_pb2_grpc
from libra.v1.task_pb2 import (
    CatalogueEntry,
    CatalogueState,
    GetTaskRequest,
    GetTaskResponse,
    ImportTaskHeader,
    ImportTaskRequest,
    ImportTaskResponse,
    ListCatalogueRequest,
    ListCatalogueResponse,
    ListSamplesRequest,
    ListSamplesResponse,
    ListTasksRequest,
    ListTasksResponse,
    Sample,
    Task,
)

log = structlog.get_logger(__name__)

PIECE_BYTES = 64 * 1024
"""The size of the reads of an imported file."""


class TaskService(task_pb2_grpc.TaskServiceServicer):
    """Stores tasks: a card with its samples, all or nothing."""

    def __init__(self, store: Store) -> None:
        self._tasks, self._seals = store.tasks, store.seals
        self._page_tokens = paging.PageTokens(store.load_page_token_key)
        self._import_lock = asyncio.Lock()

    async def ImportTask(
        self, request_iterator: AsyncIterator[ImportTaskRequest], context: grpc.aio.ServicerContext
    ) -> ImportTaskResponse:
        """Receive a card and a file in pieces, and store the task if every line is valid.

        The file is kept on disk and read twice, to check it and to store it, so that memory does not grow with it.
        """
        with TemporaryFile() as file:
            header = await receive_import(request_iterator, file)
            # One at a time, to limit memory. In a thread: a large file takes minutes and must not block other calls.
            async with self._import_lock:
                opened = open_import(header, file)
                task = await asyncio.to_thread(task_version.to_task, opened.card, opened.samples)
                created = await self._store_task(task, header, file)
        if created:
            log.info(
                "a task was imported", action=Action.TASK_IMPORTED, task=task_reference(task), samples=task.sample_count
            )
        stored = await self._task(task_reference(task))
        warnings = [*opened.required.warnings(task.name), *opened.labels.warnings(task.name)]
        return ImportTaskResponse(task=stored, created=created, warnings=warnings)

    async def GetTask(self, request: GetTaskRequest, context: grpc.aio.ServicerContext) -> GetTaskResponse:
        """Return one task."""
        task = await self._task(request.name)
        return GetTaskResponse(task=task, taxonomies=tags_of_task_to_proto(task))

    async def ListTasks(self, request: ListTasksRequest, context: grpc.aio.ServicerContext) -> ListTasksResponse:
        """Return a page of tasks, by name."""
        size = paging.page_size(request.page_size, default=100, maximum=1000)
        scope = f"tasks/{request.category}/{request.all_versions}"
        tasks = await self._tasks.list(
            after=await self._page_tokens.decode(request.page_token, scope),
            limit=size + 1,
            category=request.category or None,
            all_versions=request.all_versions,
        )
        token = await self._page_tokens.encode(task_reference(tasks[size - 1]), scope) if len(tasks) > size else ""
        return ListTasksResponse(tasks=tasks[:size], next_page_token=token)

    async def ListSamples(self, request: ListSamplesRequest, context: grpc.aio.ServicerContext) -> ListSamplesResponse:
        """Return a page of a task's samples, in their order."""
        size = paging.page_size(request.page_size, default=50, maximum=500)
        task = task_reference(await self._task(request.task, field="task"))
        first = int(await self._page_tokens.decode(request.page_token, f"samples/{task}") or 0)
        samples = await self._tasks.list_samples(task, first=first, limit=size + 1)
        token = await self._page_tokens.encode(str(first + size), f"samples/{task}") if len(samples) > size else ""
        page = samples[:size]
        sealed = (await self._seals.find_sealed({task: [sample.ordinal for sample in page]})).get(task, set())
        shown = [redact_sample(sample) if sample.ordinal in sealed else sample for sample in page]
        return ListSamplesResponse(samples=shown, next_page_token=token)

    async def ListCatalogue(
        self, request: ListCatalogueRequest, context: grpc.aio.ServicerContext
    ) -> ListCatalogueResponse:
        """Return the built-in tasks and those of the published evaluation, in order of name."""
        entries = await asyncio.to_thread(catalogue_entries)
        imported = {task.name: task_reference(task) for task in await self._tasks.list(limit=MAX_TASKS)}
        for entry in entries:
            entry.imported = imported.get(entry.task.name, "")
        return ListCatalogueResponse(entries=entries)

    async def _store_task(self, task: Task, header: ImportTaskHeader, file: IO[bytes]) -> bool:
        """Store the task for the team of the caller, unless all teams share it already; return whether it is new."""
        team = team_scope.owner_of_new()
        if team and await self._tasks.get(task_reference(task)) is not None:
            return False
        task_version.set_owner(task, team)
        return await self._tasks.add(task, open_import(header, file).samples)

    async def _task(self, name: str, *, field: str = "name") -> Task:
        task = await self._tasks.get(name)
        if task is None:
            raise NotFound.named("task", name, await self._tasks.list_names(), field=field)
        return task


@dataclass(frozen=True, slots=True)
class OpenedImport:
    """A card, and the samples of a file."""

    card: card.Card
    samples: Iterator[Sample]
    """Read from the file while it is iterated; raises Invalid naming file and line."""

    required: RequiredField
    """Complete when all samples are read."""

    labels: GoldLabels
    """Complete when all samples are read."""


def open_import(header: ImportTaskHeader, file: IO[bytes]) -> OpenedImport:
    """Return the card and the samples; raise Invalid naming the key at fault."""
    name = header.file_name or "the file"
    pieces = read_pieces(file)
    if header.catalogue:
        if header.card_yaml:
            raise Invalid("a task of the catalogue has its own card; leave this out", field="header.card_yaml")
        source, seed = index.find_card(header.catalogue), header.seed
        samples = importer.build_samples(source, pieces, seed=seed, file_name=name)
        labels = GoldLabels(source.card.balanced_by)
        return OpenedImport(importer.card_with_seed(source, seed), labels.check(samples), RequiredField(""), labels)
    parsed, mapping = parse_user_card(header.card_yaml, file_name=f"the card of {name}")
    required = RequiredField(parsed.options.get(FIELD_OPTION, "") if parsed.judge != PER_SAMPLE else "")
    samples = sample_records.iterate_samples(pieces, file_name=name, mapping=mapping, required=required)
    labels = GoldLabels(parsed.balanced_by)
    return OpenedImport(parsed, labels.check(samples), required, labels)


def read_pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of a file from its beginning."""
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        yield piece


def parse_user_card(text: str, *, file_name: str) -> tuple[card.Card, ColumnMapping]:
    """Return the card, and the mapping of its key `mapping`; raise Invalid naming the key at fault."""
    parsed, value = card.parse_card_and_key(text, "mapping", file_name=file_name)
    try:
        return parsed, parse_mapping(value or {})
    except Invalid as error:
        raise Invalid(f"{file_name}: {error.message}", field=card.CARD_FIELD) from None


def catalogue_entries() -> list[CatalogueEntry]:
    """Return an entry for every task that Libra knows, in order of name."""
    entries = [entry.to_proto() for entry in index.load_cards().values()]
    for task, samples in builtin.load():
        entry = CatalogueEntry(
            task=task, state=CatalogueState.CATALOGUE_STATE_BUILT_IN, published_samples=task.sample_count
        )
        entry.multi_turn = any(message.role == "assistant" for sample in samples for message in sample.messages)
        entry.conversion = "The samples come with Libra, in its own format."
        entry.task.ClearField("version")
        entry.task.ClearField("sample_count")
        entries.append(entry)
    for entry in entries:
        entry.taxonomies.extend(tags_of_task_to_proto(entry.task))
    return sorted(entries, key=lambda entry: entry.task.name)


async def receive_import(requests: AsyncIterator[ImportTaskRequest], file: IO[bytes]) -> ImportTaskHeader:
    """Return the header, and write the pieces to the file; raise Invalid for a wrong order or too large a file."""
    header, size_bytes = None, 0
    async for request in requests:
        match request.WhichOneof("part"):
            case "header" if header is None:
                header = request.header
            case "data" if header is not None:
                size_bytes += len(request.data)
                check_size(size_bytes)
                file.write(request.data)
            case _:
                raise Invalid("an import is one header followed by the bytes of the file", field="part")
    if header is None:
        raise Invalid("an import begins with a header", field="header")
    return header
