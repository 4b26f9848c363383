"""Models for an attack, without a gateway: what each says is a function of what it is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from libra.attack.attack_session import AttackSession, Reply, Role
from libra.attack.conversation import Turns

Says = Callable[[Turns, int], Reply | str]
"""Takes the conversation and the epoch."""

FENCE = re.compile(r"<<<(?P<name>[a-z ]+) (?P<mark>[0-9a-f]{16})\n(?P<text>.*?)\n(?P=name) (?P=mark)>>>", re.DOTALL)


@dataclass
class Voices:
    """Answers, and remembers what it was asked."""

    attacker: Says = lambda turns, epoch: ""
    target: Says = lambda turns, epoch: ""
    judge: Says = lambda turns, epoch: ""
    asked: list[tuple[Role, Turns, int]] = field(default_factory=list)

    async def __call__(self, role: Role, turns: Turns, *, temperature: float, json_schema: str, epoch: int) -> Reply:
        self.asked.append((role, turns, epoch))
        said = {Role.ATTACKER: self.attacker, Role.TARGET: self.target, Role.JUDGE: self.judge}[role](turns, epoch)
        return said if isinstance(said, Reply) else Reply(said, tokens=10, cost_usd=0.5, seconds=2.0)

    def of(self, role: Role) -> list[Turns]:
        """Return the conversations that were put to a role."""
        return [turns for asked, turns, _ in self.asked if asked is role]

    def talk(self, *, repeat: int = 0, named: frozenset[Role] = frozenset(Role)) -> AttackSession:
        return AttackSession(self, named, repeat)


def fences(turns: Turns) -> dict[str, str]:
    """Return the fenced material of a question, by name."""
    return {found["name"]: found["text"] for found in FENCE.finditer(turns[-1].content)}


def scored(score: int, *, refused: bool = False) -> str:
    return json.dumps({"reason": "so it seems", "refused": refused, "score": score})


def questioned(question: str) -> str:
    return json.dumps({"question": question, "reason": "a small step"})
