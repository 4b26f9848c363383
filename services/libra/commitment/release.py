"""The release of a round: a file of JSON lines with everything that its commitment stands for.

The first line is the manifest. Each further line is a sample with its salt and its inclusion proof. The last line has
the number of lines and the SHA-256 of all bytes before it, so that no byte can change unnoticed. Every line contains
the canary, and so does a proof that was taken out of the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from libra.commitment.canonical import Json
from libra.commitment.commitment import TaskDraw
from libra.commitment.merkle import MerkleTree

FORMAT = "libra-round-release/1"
PROOF_FORMAT = "libra-round-proof/1"
MANIFEST, SAMPLE, END = "manifest", "sample", "end"


@dataclass(frozen=True, slots=True)
class ReleasedSample:
    """A sample that is published."""

    index: int
    """Its place among the leaves."""

    salt: bytes
    sample: Json


@dataclass(frozen=True, slots=True)
class RoundDisclosure:
    """The facts that the manifest of a release discloses."""

    round: str
    canary: str
    seed: bytes
    close_time: str
    tasks: Sequence[TaskDraw]
    leaves: Sequence[bytes]
    released: int
    """The number of samples that are published; the others are sealed until they are no longer used as anchors."""


class ReleaseWriter:
    """Returns the lines of a release one by one, so that no more than one sample is in memory."""

    def __init__(self, disclosure: RoundDisclosure) -> None:
        self._disclosure, self._tree = disclosure, MerkleTree(disclosure.leaves)
        self._digest, self._lines = hashlib.sha256(), 0

    def manifest(self) -> bytes:
        """Return the first line."""
        disclosure = self._disclosure
        return self._add(
            {
                "type": MANIFEST,
                "format": FORMAT,
                "round": disclosure.round,
                "canary": disclosure.canary,
                "close_time": disclosure.close_time,
                "seed": disclosure.seed.hex(),
                "merkle_root": self._tree.root.hex(),
                "samples": len(disclosure.leaves),
                "released": disclosure.released,
                "sealed": len(disclosure.leaves) - disclosure.released,
                "tasks": [{"task": each.task, "source": each.source, "pool": each.pool} for each in disclosure.tasks],
            }
        )

    def sample(self, released: ReleasedSample) -> bytes:
        """Return the line of a sample; call it in the order of the indexes."""
        return self._add(
            {
                "type": SAMPLE,
                "canary": self._disclosure.canary,
                "index": released.index,
                "salt": released.salt.hex(),
                "proof": [node.hex() for node in self._tree.inclusion_proof(released.index)],
                "sample": released.sample,
            }
        )

    def end(self) -> bytes:
        """Return the last line."""
        return end_line(self._disclosure.canary, self._lines, self._digest.hexdigest())

    def _add(self, line: Json) -> bytes:
        data = _dump(line)
        self._digest.update(data)
        self._lines += 1
        return data


def end_line(canary: str, lines: int, sha256: str) -> bytes:
    """Return the last line of a release: the number of lines before it, and the hash of their bytes."""
    return _dump({"type": END, "canary": canary, "lines": lines, "sha256": sha256})


def proof_document(canary: str, line: Json, size: int) -> bytes:
    """Return the file that proves one sample of a release, from the sample's line."""
    fields = {name: line[name] for name in ("index", "salt", "sample", "proof")}
    return _dump({"format": PROOF_FORMAT, "canary": canary, "size": size, **fields})


def _dump(line: Json) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
