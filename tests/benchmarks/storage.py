"""Measures what a million trials take on disk, in a real mongod, and how long a backup of them takes.

    .venv/bin/python -m tests.benchmarks.storage [TRIALS]

Texts are drawn from a vocabulary of 20,000 pseudo-words, so that they compress about as prose does: an answer of 250
words with a prompt of 100.
"""

from __future__ import annotations

import asyncio
import io
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.tables import print_line

from libra.local.servers import MongoServer
from libra.store import indexes
from libra.store.client import Store
from libra.store.maintenance.backup.backup import write_backup
from libra.store.maintenance.backup.restore import restore_backup
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch
from libra.v1.completion_pb2 import Completion, FinishReason, Usage
from libra.v1.message_pb2 import Message
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

TRIALS = 50_000
GROUP = 500
PROMPT_WORDS, ANSWER_WORDS = 100, 250
RUN = "01K00000000000000000000000"
SEED = 7


def vocabulary(draw: random.Random) -> list[str]:
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    weights = range(len(letters), 0, -1)
    return ["".join(draw.choices(letters, weights, k=draw.randint(2, 9))) for _ in range(20_000)]


async def write(store: Store, trials: int) -> None:
    """Write completions and verdicts as gateway and ranking do."""
    draw = random.Random(SEED)
    words = vocabulary(draw)
    frequencies = [1 / rank for rank in range(1, len(words) + 1)]
    judge = JudgeVersion(name="refusal", version="7", rubric_hash="0123456789ab")
    header = BatchHeader(run=RUN, model="model-7b", task="strongreject@0123456789ab", attack="none", category=1)  # type: ignore[arg-type]  # a number
    for first in range(0, trials, GROUP):
        completions, verdicts = [], []
        for sample in range(first, first + GROUP):
            name = f"{draw.getrandbits(256):064x}"
            text = " ".join(draw.choices(words, frequencies, k=ANSWER_WORDS))
            prompt = Message(role="user", content=" ".join(draw.choices(words, frequencies, k=PROMPT_WORDS)))
            usage = Usage(prompt_tokens=130, completion_tokens=330)
            completion = Completion(
                id=name, text=text, finish_reason=FinishReason.FINISH_REASON_STOP, usage=usage, model="model-7b",
                latency_seconds=1.5, cost_usd=0.0002, attempts=1,
            )  # fmt: skip
            completions.append(store.completions.insert_or_get(completion, [prompt]))
            verdicts.append(
                Verdict(sample=sample, outcome=Outcome.OUTCOME_SCORED, score=1, label="refused", judge=judge,
                        rationale="The answer refuses in its first sentence.", completion_id=name,
                        fields={"response": "refused_by_model"})
            )  # fmt: skip
        await asyncio.gather(*completions)
        await store.verdicts.write([VerdictBatch(header=header, verdicts=verdicts)])


async def measure(server: MongoServer, trials: int) -> None:
    store = Store.connect(server.url)
    await store.ensure_indexes()
    await write(store, trials)
    await store._client.admin.command("fsync")
    for name in (indexes.COMPLETIONS, indexes.VERDICTS):
        stats = await store._database.command("collStats", name)
        per = {key: stats[key] / trials for key in ("size", "storageSize", "totalIndexSize")}
        print_line(
            f"{name}: {per['size']:.0f} bytes as BSON, {per['storageSize']:.0f} on disk, "
            f"{per['totalIndexSize']:.0f} of index, each"
        )
    await store.close()


def measure_backup(server: MongoServer, trials: int) -> None:
    with tempfile.TemporaryFile() as file:
        began = time.monotonic()
        write_backup(server.url, "libra", file, lambda _: None)
        seconds, size = time.monotonic() - began, file.seek(0, io.SEEK_END)
        print_line(f"backup: {trials / seconds:,.0f} trials/s, {size / trials:.0f} bytes per trial")
        began = time.monotonic()
        restore_backup(server.url, "restored", file, lambda _: None, replace=False)
        print_line(f"restore: {trials / (time.monotonic() - began):,.0f} trials/s")


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS
    with tempfile.TemporaryDirectory() as folder:
        server = MongoServer.start(Path(folder))
        try:
            asyncio.run(measure(server, trials))
            measure_backup(server, trials)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
