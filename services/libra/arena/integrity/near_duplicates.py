"""Finds prompts that are nearly the same, by MinHash (Broder 1997) of their overlapping pieces of words."""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterable

from datasketch import MinHash

PERMUTATIONS = 64
PIECE_CHARACTERS = 5
SAME_SHARE = 0.8
"""Prompts whose pieces agree in at least this share (estimated Jaccard similarity) are nearly the same."""

BLANKS = re.compile(r"[\W_]+")
FORM = struct.Struct(f"<{PERMUTATIONS}I")


def signature_of(prompt: str) -> bytes:
    """Return the MinHash of a prompt. Case, accents' encoding, punctuation and spaces do not matter."""
    text = BLANKS.sub(" ", unicodedata.normalize("NFKC", prompt).casefold()).strip() or prompt.strip()
    count = max(1, len(text) - PIECE_CHARACTERS + 1)
    minhash = MinHash(num_perm=PERMUTATIONS, seed=1)
    minhash.update_batch([text[start : start + PIECE_CHARACTERS].encode() for start in range(count)])
    return FORM.pack(*(int(value) for value in minhash.hashvalues))


def is_near_duplicate(signature: bytes, others: Iterable[bytes]) -> bool:
    """Return whether a prompt is nearly the same as one of the others."""
    own = FORM.unpack(signature)
    return any(
        sum(a == b for a, b in zip(own, FORM.unpack(other), strict=True)) >= SAME_SHARE * PERMUTATIONS
        for other in others
    )
