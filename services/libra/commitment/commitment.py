"""The commitment of a round: a JSON document that is published before the first run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libra.commitment import signature
from libra.commitment.canonical import Json, canonical, hash_json
from libra.commitment.merkle import MerkleTree
from libra.commitment.mismatch import Mismatch
from libra.commitment.sample_draw import Ranges
from libra.core.errors import Invalid

FORMAT = "libra-round-commitment/1"


@dataclass(frozen=True, slots=True)
class TaskDraw:
    """The samples that a round draws from one task."""

    task: str
    source: str
    """The version, "name@version"."""

    samples: int
    anchors: int
    pool: Ranges
    """The ordinals that fresh samples are drawn from: those that were in no round before."""

    reserved: int
    """The number of fresh samples that are kept as anchors for the next round."""

    @property
    def fresh(self) -> int:
        """The number of samples that are drawn from the pool."""
        return self.samples - self.anchors


@dataclass(frozen=True, slots=True)
class Commitment:
    """A commitment whose form and signature are valid."""

    round: str
    canary: str
    seed_hash: str
    leaves: tuple[bytes, ...]
    """The salted hash of each sample, in their order."""

    root: bytes
    tasks: Mapping[str, Json]
    """By the name of the task: source, samples, anchors, reserved, pool_sha256."""

    public_key: str
    open_time: str


def write_commitment(
    *,
    round_name: str,
    canary: str,
    seed: bytes,
    leaves: Sequence[bytes],
    tasks: Sequence[TaskDraw],
    follows: str,
    open_time: str,
    key: bytes,
) -> bytes:
    """Return the signed commitment of a round, as the bytes of a JSON file."""
    document: Json = {
        "format": FORMAT,
        "round": round_name,
        "follows": follows,
        "open_time": open_time,
        "canary": canary,
        "seed_sha256": hashlib.sha256(seed).hexdigest(),
        "tasks": [_task_json(task) for task in tasks],
        "leaves": [leaf.hex() for leaf in leaves],
        "merkle_root": MerkleTree(leaves).root.hex(),
        "public_key": signature.public_key(key).hex(),
    }
    document["signature"] = signature.sign(key, canonical(document)).hex()
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def read_commitment(data: bytes, public_key: str = "") -> Commitment:
    """Return a commitment; raise Invalid if it is none, was changed after it was signed, or has another key."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise Mismatch("the commitment is not JSON: it was changed or cut off", field="commitment") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Invalid(f'the file is no commitment: it lacks "format": "{FORMAT}"', field="commitment")
    try:
        return _checked(document, public_key)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Mismatch("the commitment lacks a key, or a key has another form", field="commitment") from None


def _checked(document: dict[str, Any], public_key: str) -> Commitment:
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    signed_by = document["public_key"]
    if not signature.is_signed(bytes.fromhex(signed_by), bytes.fromhex(document["signature"]), canonical(unsigned)):
        raise Mismatch("the commitment was changed after it was signed: its signature is not valid", field="commitment")
    if public_key and public_key.lower() != signed_by:
        raise Mismatch(f"the commitment is signed with the key {signed_by}, not with {public_key}", field="public_key")
    leaves = tuple(bytes.fromhex(leaf) for leaf in document["leaves"])
    root = bytes.fromhex(document["merkle_root"])
    if MerkleTree(leaves).root != root:
        raise Mismatch("the Merkle root of the commitment is not that of its leaves", field="commitment")
    tasks = {str(task["task"]): dict(task) for task in document["tasks"]}
    return Commitment(
        document["round"],
        document["canary"],
        document["seed_sha256"],
        leaves,
        root,
        tasks,
        signed_by,
        document["open_time"],
    )


def pool_hash(source: str, pool: Ranges) -> str:
    """Return the hash that commits to the samples that a draw chooses from."""
    return hash_json({"source": source, "pool": [list(each) for each in pool]})


def _task_json(task: TaskDraw) -> Json:
    return {
        "task": task.task,
        "source": task.source,
        "samples": task.samples,
        "anchors": task.anchors,
        "reserved": task.reserved,
        "pool_sha256": pool_hash(task.source, task.pool),
    }
