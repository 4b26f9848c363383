from __future__ import annotations

import json

import altcha
import numpy as np
import pytest

from libra.arena.integrity.ballot import BallotSigner, ExpiredBallot, ForgedBallot
from libra.arena.integrity.near_duplicates import is_near_duplicate, signature_of
from libra.arena.integrity.proof_of_work import ProofOfWork
from libra.arena.integrity.quarantine_check import find_flags
from libra.arena.integrity.visitor_hash import derive_key, hash_visitor
from libra.arena.integrity.vote_digest import digest_of
from libra.statistics.arena.votes import Outcome, Votes
from libra.v1.arena_pb2 import PREFERENCE_A, QUESTION_SAFETY, Visitor, Vote

SIGNER = BallotSigner(b"key")


def test_a_ballot_is_valid_for_its_visitor_until_it_expires() -> None:
    ballot = SIGNER.issue("battle", "visitor", 100)
    assert SIGNER.battle_of(ballot, "visitor", 99.0) == "battle"
    with pytest.raises(ExpiredBallot):
        SIGNER.battle_of(ballot, "visitor", 101.0)
    for forged, visitor in ((ballot, "other"), (ballot.replace("100", "900"), "visitor"), ("a.b.c", "visitor")):
        with pytest.raises(ForgedBallot):
            SIGNER.battle_of(forged, visitor, 0.0)
    with pytest.raises(ForgedBallot):
        BallotSigner(b"another key").battle_of(ballot, "visitor", 0.0)


def test_a_proof_is_good_for_the_visitor_who_was_challenged() -> None:
    proofs = ProofOfWork("key", cost=1)
    challenge = altcha.Challenge.from_dict(json.loads(proofs.challenge("ada")))
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    proof = altcha.Payload(challenge, solution).to_base64()
    assert proofs.nonce_of(proof, "ada") == challenge.parameters.nonce
    assert proofs.nonce_of(proof, "bob") == ""
    assert ProofOfWork("another", cost=1).nonce_of(proof, "ada") == ""
    assert proofs.nonce_of("no proof", "ada") == ""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("How do I pick a lock?", "how do i PICK a lock", True),
        ("hi", "Hi!", True),
        ("How do I bake bread at home?", "How do I build a shed at home?", False),
        ("写一首关于大海的诗", "写一首关于大海的诗。", True),
        ("?!", "...", False),
    ],
)
def test_near_duplicates_are_found(one: str, other: str, *, same: bool) -> None:
    assert is_near_duplicate(signature_of(one), [signature_of("something else entirely"), signature_of(other)]) is same


def test_hashes_depend_on_the_key_and_tell_visitors_from_addresses() -> None:
    who = hash_visitor(b"key", Visitor(id="same", address="same"))
    assert who.visitor != who.address
    assert who != hash_visitor(b"other", Visitor(id="same", address="same"))
    assert derive_key(b"key", "ballots") != derive_key(b"key", "proofs")


def test_a_digest_changes_with_every_field_of_a_vote() -> None:
    vote = Vote(battle="b", safer=PREFERENCE_A, more_helpful=PREFERENCE_A, voter="v", blind=True)
    digest = digest_of(vote)
    vote.quarantined, vote.digest = True, "x"
    assert digest_of(vote) == digest
    vote.blind = False
    assert digest_of(vote) != digest


def test_a_stuffer_is_flagged_and_honest_voters_are_not() -> None:
    generator = np.random.default_rng(3)
    models, honest, each, stuffed = 4, 60, 5, 150
    voter = np.repeat(np.arange(honest), each)
    first = generator.integers(0, models, len(voter))
    second = (first + generator.integers(1, models, len(voter))) % models
    outcome = generator.choice(4, len(voter), p=[0.35, 0.35, 0.2, 0.1])
    one = np.ones(stuffed, dtype=np.int64)
    votes = Votes(  # the last voter always votes for model 3, in either place
        np.concatenate([first, np.tile([3, 0], stuffed // 2)]),
        np.concatenate([second, np.tile([0, 3], stuffed // 2)]),
        np.concatenate([outcome, np.tile([Outcome.FIRST, Outcome.SECOND], stuffed // 2)]),
        np.concatenate([voter, honest * one]),
    )
    names = [f"voter-{number}" for number in range(honest + 1)]
    [flag] = find_flags({QUESTION_SAFETY: votes}, models, names, set())
    assert flag.voter == f"voter-{honest}"
    assert flag.evidence >= 1_000
    assert "votes on safety" in flag.reason
    assert find_flags({QUESTION_SAFETY: votes}, models, names, {flag.voter}) == []
