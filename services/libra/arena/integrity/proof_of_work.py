"""Challenges that cost a visitor's computer some seconds of work: free for a person, dear for a flood."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import altcha

ALGORITHM = "PBKDF2/SHA-256"
COST = 2_000
"""Iterations for one attempt: about a millisecond."""

KEY_PREFIX = "00"
"""The beginning of every solution: 256 attempts on average, about half a second on a phone."""

EXPIRE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class ProofOfWork:
    """Issues challenges to visitors and checks their solutions. Nothing is stored."""

    key: str
    cost: int = COST

    def challenge(self, visitor: str) -> str:
        """Return a challenge for a visitor, by hash, as JSON for the ALTCHA widget."""
        challenge = altcha.create_challenge(
            ALGORITHM,
            self.cost,
            key_prefix=KEY_PREFIX,
            expires_at=int(time.time() + EXPIRE_SECONDS),
            data={"visitor": visitor},
            hmac_secret=self.key,
        )
        return json.dumps(challenge.to_dict())

    def nonce_of(self, proof: str, visitor: str) -> str:
        """Return the nonce of the challenge that a proof solves; "" if it solves none of this visitor's."""
        result = altcha.verify_solution(proof, self.key)
        if not result.verified:
            return ""
        parameters = altcha.Payload.from_base64(proof).challenge.parameters
        is_own = isinstance(parameters.data, dict) and parameters.data.get("visitor") == visitor
        return str(parameters.nonce) if is_own else ""
