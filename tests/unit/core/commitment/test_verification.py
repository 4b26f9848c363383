from __future__ import annotations

import hashlib
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.commitment.release_files import CANARY, ExampleRound

from libra.commitment.commitment import read_commitment
from libra.commitment.mismatch import Mismatch
from libra.commitment.verification import find_proof, is_proof, verify_proof, verify_release
from libra.core.errors import Invalid, NotFound

ROUND = ExampleRound()
COMMITMENT = read_commitment(ROUND.commitment)
RELEASE = b"".join(ROUND.release)
PUBLISHED_NAMES = [
    f"{sample['task']}/{sample['ordinal']}" for line in ROUND.release if (sample := json.loads(line).get("sample"))
]
PUBLISHED = PUBLISHED_NAMES[-1]


def is_refused(commitment: bytes) -> bool:
    try:
        read_commitment(commitment)
    except Invalid:
        return True
    return False


def lines(data: bytes) -> list[bytes]:
    return list(io.BytesIO(data))


def test_a_release_with_sealed_anchors_matches_its_commitment() -> None:
    verified = verify_release(ROUND.release, COMMITMENT)
    assert (verified.samples, verified.released, verified.sealed, verified.tasks) == (11, 8, 3, 2)


def test_a_release_of_every_sample_matches_the_same_commitment() -> None:
    whole = ExampleRound(seal=False)
    assert whole.commitment == ROUND.commitment
    assert verify_release(whole.release, COMMITMENT).sealed == 0


def test_every_line_and_the_commitment_contain_the_canary() -> None:
    assert all(CANARY.encode() in line for line in [*ROUND.release, ROUND.commitment])
    assert CANARY.encode() in find_proof(ROUND.release, COMMITMENT, PUBLISHED)


@settings(max_examples=300)
@given(st.integers(0, len(RELEASE) - 1), st.integers(1, 255))
def test_a_release_with_one_changed_byte_is_refused(place: int, change: int) -> None:
    changed = RELEASE[:place] + bytes([RELEASE[place] ^ change]) + RELEASE[place + 1 :]
    with pytest.raises(Mismatch):
        verify_release(lines(changed), COMMITMENT)


@settings(max_examples=100)
@given(st.integers(0, len(RELEASE) - 1))
def test_a_truncated_release_is_refused(size: int) -> None:
    with pytest.raises(Mismatch, match=r"truncated|manifest|JSON"):
        verify_release(lines(RELEASE[:size]), COMMITMENT)


@settings(max_examples=200)
@given(st.integers(0, len(ROUND.commitment) - 1), st.integers(1, 255))
def test_a_commitment_with_one_changed_byte_is_refused_or_means_the_same(place: int, change: int) -> None:
    data = ROUND.commitment
    changed = data[:place] + bytes([data[place] ^ change]) + data[place + 1 :]
    assert is_refused(changed) or read_commitment(changed) == COMMITMENT


def test_a_commitment_of_another_round_is_refused_by_name() -> None:
    other = read_commitment(ExampleRound("2027Q2").commitment)
    with pytest.raises(Mismatch, match="of the round 2027Q1, but the commitment is of the round 2027Q2"):
        verify_release(ROUND.release, other)
    proof = find_proof(ROUND.release, COMMITMENT, PUBLISHED)
    with pytest.raises(Mismatch, match="of the round 2027Q1, but the commitment is of the round 2027Q2"):
        verify_proof(proof, other)


def test_a_commitment_of_another_draw_with_the_same_name_is_refused() -> None:
    other = read_commitment(ExampleRound(seed=bytes(32)).commitment)
    with pytest.raises(Mismatch, match="another opening"):
        verify_release(ROUND.release, other)


def test_a_commitment_can_be_required_to_have_a_known_key() -> None:
    assert read_commitment(ROUND.commitment, COMMITMENT.public_key.upper()) == COMMITMENT
    with pytest.raises(Invalid, match="is signed with the key"):
        read_commitment(ROUND.commitment, "00" * 32)


def test_one_sample_is_verified_by_its_proof_alone() -> None:
    for name in PUBLISHED_NAMES:
        proof = find_proof(ROUND.release, COMMITMENT, name)
        assert is_proof(proof)
        assert not is_proof(RELEASE)
        sample = verify_proof(proof, COMMITMENT)
        assert f"{sample['task']}/{sample['ordinal']}" == name
        assert find_proof(ROUND.release, COMMITMENT, sample["id"]) == proof


def test_a_sample_that_is_sealed_or_unknown_has_no_proof() -> None:
    with pytest.raises(NotFound, match="it may still be sealed"):
        find_proof(ROUND.release, COMMITMENT, "geography/0")


def test_a_proof_with_another_text_is_refused() -> None:
    document = json.loads(find_proof(ROUND.release, COMMITMENT, PUBLISHED))
    document["sample"]["messages"][0]["content"] += "!"
    with pytest.raises(Mismatch, match="does not match the commitment"):
        verify_proof(json.dumps(document).encode(), COMMITMENT)


def rewritten(change: dict[str, object] | None = None, *, without: int | None = None) -> list[bytes]:
    """The release with another manifest or without one sample, and with a correct hash in its last line."""
    body = [json.loads(line) for line in ROUND.release[:-1]]
    body[0] |= change or {}
    if without is not None:
        del body[without]
    data = [json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in body]
    end = json.loads(ROUND.release[-1])
    end |= {"lines": len(data), "sha256": hashlib.sha256(b"".join(data)).hexdigest()}
    return [*data, json.dumps(end, separators=(",", ":")).encode() + b"\n"]


def test_a_publisher_cannot_leave_out_a_sample_that_the_seed_does_not_reserve() -> None:
    assert verify_release(rewritten(), COMMITMENT).released == 8
    with pytest.raises(Mismatch, match="the manifest says 8 samples"):
        verify_release(rewritten(without=3), COMMITMENT)
    with pytest.raises(Mismatch, match="lacks 1 samples of history that the seed draws"):
        verify_release(rewritten({"released": 7, "sealed": 4}, without=3), COMMITMENT)


def test_a_publisher_cannot_choose_another_seed_or_pool() -> None:
    with pytest.raises(Mismatch, match="seed"):
        verify_release(rewritten({"seed": "00" * 32}), COMMITMENT)
    tasks = [dict(task) for task in json.loads(ROUND.release[0])["tasks"]]
    tasks[1]["pool"] = [[0, 30]]
    with pytest.raises(Mismatch, match="the pool of math"):
        verify_release(rewritten({"tasks": tasks}), COMMITMENT)
