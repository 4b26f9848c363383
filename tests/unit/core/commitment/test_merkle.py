"""The trees of RFC 6962, checked with the published vectors of the reference implementation of Certificate
Transparency (github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc)."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.commitment.merkle import MerkleTree, leaf_hash, node_hash, root_from_proof

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PROOFS = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def root_by_definition(leaves: list[bytes]) -> bytes:
    """The recursive definition of RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(root_by_definition(leaves[:split]), root_by_definition(leaves[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_published_vectors(size: int) -> None:
    assert MerkleTree(LEAVES[:size]).root.hex() == ROOTS[size - 1]


def test_the_root_of_no_leaves_is_the_hash_of_nothing() -> None:
    assert MerkleTree([]).root.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(("index", "size", "proof"), PROOFS)
def test_inclusion_proofs_are_those_of_the_published_vectors(index: int, size: int, proof: list[str]) -> None:
    assert [node.hex() for node in MerkleTree(LEAVES[:size]).inclusion_proof(index)] == proof
    root = root_from_proof(LEAVES[index], index, size, [bytes.fromhex(node) for node in proof])
    assert root is not None
    assert root.hex() == ROOTS[size - 1]


@given(st.lists(st.binary(max_size=3), min_size=1, max_size=40))
def test_the_root_is_that_of_the_recursive_definition_and_every_leaf_proves_it(leaves: list[bytes]) -> None:
    tree = MerkleTree(leaves)
    assert tree.root == root_by_definition(leaves)
    for index, leaf in enumerate(leaves):
        proof = tree.inclusion_proof(index)
        assert root_from_proof(leaf, index, len(leaves), proof) == tree.root


@given(st.integers(2, 40), st.data())
def test_a_changed_proof_leaf_or_place_leads_to_another_root(size: int, data: st.DataObject) -> None:
    leaves = [f"leaf {number}".encode() for number in range(size)]
    tree, index = MerkleTree(leaves), data.draw(st.integers(0, size - 1))
    proof = tree.inclusion_proof(index)
    place = data.draw(st.integers(0, len(proof) - 1))
    changed = [*proof[:place], bytes(32), *proof[place + 1 :]]
    assert root_from_proof(leaves[index], index, size, changed) != tree.root
    assert root_from_proof(b"another leaf", index, size, proof) != tree.root
    assert root_from_proof(leaves[index], (index + 1) % size, size, proof) != tree.root
    assert root_from_proof(leaves[index], index, size, [*proof, bytes(32)]) is None
    assert root_from_proof(leaves[index], index, size, proof[:-1]) != tree.root
    assert root_from_proof(leaves[index], size, size, proof) is None
