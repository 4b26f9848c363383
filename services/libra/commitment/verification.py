"""Check a release, or the proof of one sample, against the commitment of its round. Needs no server and no secret."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from libra.commitment.canonical import Json
from libra.commitment.commitment import Commitment, pool_hash
from libra.commitment.merkle import root_from_proof
from libra.commitment.mismatch import Mismatch
from libra.commitment.release import END, FORMAT, MANIFEST, PROOF_FORMAT, end_line, proof_document
from libra.commitment.sample_draw import FRESH, RESERVED, draw, from_ranges
from libra.commitment.samples import salted_hash
from libra.core.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class VerifiedRelease:
    """The contents of a release that has passed every check."""

    round: str
    samples: int
    released: int
    sealed: int
    tasks: int


@dataclass(slots=True)
class _Manifest:
    seed: bytes
    samples: int
    released: int
    pools: dict[str, tuple[str, list[list[int]]]]
    """By task: the version that was drawn from, and the pool."""


@dataclass(slots=True)
class _Progress:
    """The part of a release that has been read."""

    indexes: set[int] = field(default_factory=set)
    fresh: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """By task, the source ordinals of the published samples that were drawn anew."""


def verify_release(lines: Iterable[bytes], commitment: Commitment) -> VerifiedRelease:
    """Check every line of a release; raise Mismatch naming the first that is wrong."""
    manifest, progress = None, _Progress()
    for number, line in _records(lines, commitment.canary):
        if manifest is None:
            manifest = _read_manifest(line, commitment)
            continue
        where = f"line {number} of the release"
        sample = _check_sample(line, commitment, where)
        _check_new(line["index"], sample, progress, where)
    if manifest is None:
        raise Mismatch("the release has no manifest", field="release")
    if len(progress.indexes) != manifest.released:
        raise Mismatch(
            f"the manifest says {manifest.released:,} samples, but the release contains {len(progress.indexes):,}",
            field="release",
        )
    for task, (source, pool) in manifest.pools.items():
        _check_draw(task, source, pool, manifest.seed, commitment, progress.fresh[task])
    sealed = manifest.samples - manifest.released
    return VerifiedRelease(commitment.round, manifest.samples, manifest.released, sealed, len(manifest.pools))


def find_proof(lines: Iterable[bytes], commitment: Commitment, name: str) -> bytes:
    """Return the proof file of one sample of a release, after checking it.

    `name` is "TASK/ORDINAL", as in the list of verdicts, or the sample's own id. Raises NotFound if the release does
    not contain it, and Mismatch if it does not match the commitment.
    """
    for number, line in _records(lines, commitment.canary, is_whole=False):
        if line.get("type") == MANIFEST:
            _read_manifest(line, commitment)
        sample = line.get("sample")
        if isinstance(sample, dict) and name in (f"{sample.get('task')}/{sample.get('ordinal')}", sample.get("id")):
            _check_sample(line, commitment, f"line {number} of the release")
            return proof_document(commitment.canary, line, len(commitment.leaves))
    raise NotFound(
        f"the release contains no sample {name!r}: name it TASK/ORDINAL or by its id; it may still be sealed",
        field="sample",
    )


def verify_proof(data: bytes, commitment: Commitment) -> Json:
    """Return the sample of a proof file; raise Mismatch if it does not match the commitment."""
    document = _parse(data, "the proof")
    if document.get("format") != PROOF_FORMAT:
        raise Mismatch(f'the file is no proof: it lacks "format": "{PROOF_FORMAT}"', field="release")
    if document.get("size") != len(commitment.leaves):
        raise _other_round(document.get("sample"), commitment)
    return _check_sample(document, commitment, "the sample of the proof")


def is_proof(data: bytes) -> bool:
    """Return whether the bytes begin like a proof file rather than like a release."""
    return data.startswith(b'{"format":"' + PROOF_FORMAT.encode())


def _records(lines: Iterable[bytes], canary: str, *, is_whole: bool = True) -> Iterator[tuple[int, Json]]:
    """Yield each line but the last with its number; with `is_whole`, check that nothing is missing or changed."""
    digest, number, remaining = hashlib.sha256(), 0, iter(lines)
    for number, data in enumerate(remaining, 1):
        is_cut = not data.endswith(b"\n")
        if is_cut and is_whole:
            raise _truncated(number)
        line = _parse(data, f"line {number} of the release")
        if line.get("type") != END:
            digest.update(data)
            yield number, line
            continue
        if is_whole and data != end_line(canary, number - 1, digest.hexdigest()):
            raise Mismatch("the release was changed: its bytes do not have the hash in its last line", field="release")
        if next(remaining, None) is not None:
            raise Mismatch(f"the release goes on after line {number}, which says it is the last", field="release")
        return
    if is_whole:
        raise _truncated(number)


def _truncated(number: int) -> Mismatch:
    return Mismatch(
        f"the release is truncated: it ends with line {number:,}, before its end line; get the whole file",
        field="release",
    )


def _parse(data: bytes, where: str) -> Json:
    try:
        line = json.loads(data)
    except (ValueError, RecursionError):
        raise Mismatch(f"{where} is not JSON: it was changed or cut off", field="release") from None
    if not isinstance(line, dict):
        raise Mismatch(f"{where} is no JSON object: it was changed", field="release")
    return line


def _read_manifest(line: Json, commitment: Commitment) -> _Manifest:
    if line.get("type") != MANIFEST or line.get("format") != FORMAT:
        raise Mismatch(f'the file is no release: its first line lacks "format": "{FORMAT}"', field="release")
    if line.get("round") != commitment.round:
        raise Mismatch(
            f"the release is of the round {line.get('round')}, but the commitment is of the round {commitment.round}",
            field="commitment",
        )
    if line.get("merkle_root") != commitment.root.hex() or line.get("canary") != commitment.canary:
        raise Mismatch(
            "the manifest has another Merkle root or canary than the commitment: the release was changed, or the "
            "commitment is that of another opening of a round with this name",
            field="commitment",
        )
    try:
        manifest = _Manifest(
            bytes.fromhex(line["seed"]),
            int(line["samples"]),
            int(line["released"]),
            {task["task"]: (task["source"], task["pool"]) for task in line["tasks"]},
        )
        sealed = int(line["sealed"])
    except (KeyError, TypeError, ValueError):
        raise Mismatch("the manifest of the release lacks a key, or a key has another form", field="release") from None
    if hashlib.sha256(manifest.seed).hexdigest() != commitment.seed_hash:
        raise Mismatch("the seed of the release does not have the hash in the commitment", field="release")
    if manifest.samples != len(commitment.leaves) or manifest.samples - manifest.released != sealed:
        raise Mismatch("the numbers of samples in the manifest do not add up to the commitment's", field="release")
    if set(manifest.pools) != set(commitment.tasks):
        raise Mismatch("the manifest names other tasks than the commitment", field="release")
    return manifest


def _check_sample(line: Json, commitment: Commitment, where: str) -> Json:
    """Return the sample of a line; raise Mismatch unless its leaf and its inclusion proof match the commitment."""
    try:
        index, sample = line["index"], dict(line["sample"])
        leaf = salted_hash(bytes.fromhex(line["salt"]), sample)
        proof = [bytes.fromhex(node) for node in line["proof"]]
        is_index = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(commitment.leaves)
    except (KeyError, TypeError, ValueError, Invalid):
        raise Mismatch(f"{where} lacks a key, or a key has another form: it was changed", field="release") from None
    if sample.get("round") != commitment.round:
        raise _other_round(sample, commitment)
    if not is_index or leaf != commitment.leaves[index]:
        raise Mismatch(f"{where} ({_name(sample)}) does not match the commitment: it was changed", field="release")
    if root_from_proof(leaf, index, len(commitment.leaves), proof) != commitment.root:
        raise Mismatch(f"the inclusion proof in {where} ({_name(sample)}) does not lead to the root", field="release")
    if line.get("canary") != commitment.canary:
        raise Mismatch(f"{where} ({_name(sample)}) has another canary: it was changed", field="release")
    return sample


def _check_new(index: int, sample: Json, progress: _Progress, where: str) -> None:
    if index in progress.indexes:
        raise Mismatch(f"{where} repeats the sample {_name(sample)}", field="release")
    progress.indexes.add(index)
    if not sample["anchor"]:
        progress.fresh[sample["task"]].add(sample["source_ordinal"])


def _check_draw(task: str, source: str, pool: Any, seed: bytes, commitment: Commitment, published: set[int]) -> None:
    """Raise Mismatch unless the seed draws exactly the published samples and those it reserves as anchors."""
    committed = commitment.tasks[task]
    if pool_hash(source, pool) != committed["pool_sha256"]:
        raise Mismatch(f"the pool of {task} does not have the hash in the commitment", field="release")
    drawn = draw(seed, FRESH, task, from_ranges(pool), committed["samples"] - committed["anchors"])
    reserved = set(draw(seed, RESERVED, task, drawn, committed["reserved"]))
    if not published <= set(drawn):
        raise Mismatch(f"the release contains samples of {task} that the seed does not draw", field="release")
    if missing := set(drawn) - published - reserved:
        raise Mismatch(
            f"the release lacks {len(missing):,} samples of {task} that the seed draws and does not reserve as anchors",
            field="release",
        )


def _other_round(sample: Any, commitment: Commitment) -> Mismatch:
    name = sample.get("round") if isinstance(sample, dict) else None
    return Mismatch(
        f"the sample is of the round {name}, but the commitment is of the round {commitment.round}", field="commitment"
    )


def _name(sample: Json) -> str:
    return f"{sample.get('task')}/{sample.get('ordinal')}"
