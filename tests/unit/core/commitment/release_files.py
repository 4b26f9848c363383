"""A round in memory: its commitment and its release, as a deployment would publish them."""

from __future__ import annotations

import hashlib

from libra.commitment.commitment import TaskDraw, write_commitment
from libra.commitment.release import ReleasedSample, ReleaseWriter, RoundDisclosure
from libra.commitment.sample_draw import FRESH, RESERVED, draw, from_ranges
from libra.commitment.samples import SampleOrigin, salted_hash, sample_json
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import Sample

SEED, KEY = bytes(range(32)), bytes(range(1, 33))
CANARY = "LIBRA ROUND CANARY 9d2f9f2e-0000-4000-8000-000000000000"
TASKS = (
    TaskDraw("history", "history@aaaaaaaaaaaa", samples=5, anchors=0, pool=[[0, 40]], reserved=1),
    TaskDraw("math", "math@bbbbbbbbbbbb", samples=6, anchors=0, pool=[[0, 10], [12, 30]], reserved=2),
)


class ExampleRound:
    """`seal` keeps the reserved samples sealed."""

    def __init__(self, name: str = "2027Q1", *, seal: bool = True, seed: bytes = SEED) -> None:
        self.samples: list[tuple[bytes, dict[str, object]]] = []
        sealed: set[int] = set()
        for task in TASKS:
            drawn = draw(seed, FRESH, task.task, from_ranges(task.pool), task.fresh)
            reserved = draw(seed, RESERVED, task.task, drawn, task.reserved)
            for ordinal, source_ordinal in enumerate(drawn):
                if source_ordinal in reserved:
                    sealed.add(len(self.samples))
                origin = SampleOrigin(task.task, ordinal, task.source, source_ordinal, is_anchor=False)
                sample = Sample(id=f"{task.task}-{source_ordinal}", fields={"answer": str(source_ordinal)})
                sample.messages.append(Message(role="user", content=f"How much is {source_ordinal} + 0? ½ ☕"))
                salt = hashlib.sha256(f"{name} {len(self.samples)}".encode()).digest()
                self.samples.append((salt, sample_json(name, origin, sample)))
        self.leaves = [salted_hash(salt, sample) for salt, sample in self.samples]
        self.commitment = write_commitment(
            round_name=name,
            canary=CANARY,
            seed=seed,
            leaves=self.leaves,
            tasks=TASKS,
            follows="",
            open_time="2027-01-01T00:00:00Z",
            key=KEY,
        )
        released = [index for index in range(len(self.leaves)) if not (seal and index in sealed)]
        disclosure = RoundDisclosure(
            name, CANARY, seed, "2027-04-01T00:00:00Z", TASKS, self.leaves, released=len(released)
        )
        writer = ReleaseWriter(disclosure)
        self.release = [writer.manifest()]
        self.release += [writer.sample(ReleasedSample(index, *self.samples[index])) for index in released]
        self.release.append(writer.end())
