"""The memory of a dispatch process while it imports a large file stays within the limit of its container."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml
from tests.integration.support.service_process import running

from libra.core.errors import Unavailable
from libra.local.servers import MongoServer
from libra.rpc.client import call
from libra.v1.task_pb2 import (
    ImportTaskHeader,
    ImportTaskRequest,
    ImportTaskResponse,
    ListTasksRequest,
)
from libra.v1.task_pb2_grpc import TaskServiceStub

pytestmark = pytest.mark.timeout(240)

LIMIT_MIB = 384
"""As in k8s/base/dispatch.yaml."""

SAMPLES = 100_000
CARD = "name: mine\ncategory: capability\njudge: {name: exact, options: {field: answer}}\n"
FILLER = "x" * 540
PIECE_BYTES = 1024 * 1024


def records() -> Iterator[dict[str, str]]:
    return ({"id": f"r{n}", "prompt": f"What is {n}? {n:x}{FILLER}", "answer": f"{n}"} for n in range(SAMPLES))


def json_lines() -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records())


def parquet_in_one_row_group() -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(list(records())), file, row_group_size=SAMPLES, compression="none")
    return file.getvalue()


def table() -> bytes:
    rows = (f"{record['id']},{record['prompt']},{record['answer']}\n" for record in records())
    return ("id,prompt,answer\n" + "".join(rows)).encode()


def array() -> bytes:
    return b"[" + json_lines().strip().replace(b"\n", b",\n") + b"]"


async def requests(data: bytes, name: str) -> AsyncIterator[ImportTaskRequest]:
    yield ImportTaskRequest(header=ImportTaskHeader(card_yaml=CARD, file_name=name))
    for start in range(0, len(data), PIECE_BYTES):
        yield ImportTaskRequest(data=data[start : start + PIECE_BYTES])


async def wait_until_ready(tasks: TaskServiceStub) -> None:
    async with asyncio.timeout(40):
        while True:
            try:
                return await call(tasks.ListTasks, ListTasksRequest(), 5)
            except Unavailable:
                await asyncio.sleep(0.2)


def test_the_limit_is_that_of_the_manifest() -> None:
    manifest = Path(__file__).parents[3] / "k8s/base/dispatch.yaml"
    (container,) = next(yaml.safe_load_all(manifest.read_text()))["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == f"{LIMIT_MIB}Mi"


async def test_an_import_of_a_large_file_fits_into_the_memory_of_dispatch(
    nats_url: str, mongo_server: MongoServer, database: str
) -> None:
    files = {"a.jsonl": json_lines(), "a.parquet": parquet_in_one_row_group(), "a.csv": table(), "a.json": array()}
    assert len(files["a.parquet"]) > 50 * 1024 * 1024
    async with running("dispatch", nats_url, mongo_server, database) as dispatch:
        tasks = TaskServiceStub(dispatch.channel)
        await wait_until_ready(tasks)
        created = []
        for name, data in files.items():
            imported: ImportTaskResponse = await call(tasks.ImportTask, requests(data, name), 300)
            assert imported.task.sample_count == SAMPLES
            created.append(imported.created)
        assert created == [True, False, False, False]
        assert dispatch.peak_mib() * 1.5 <= LIMIT_MIB
