"""Scripted models for an attack, without a gateway: each answer is a function of the conversation and the epoch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from libra.attack.attack_session import AttackSession, ModelReply, ModelRole
from libra.attack.conversation import Turns

Script = Callable[[Turns, int], ModelReply | str]
"""Takes the conversation and the epoch, and returns the answer."""

FENCE = re.compile(r"<<<(?P<name>[a-z ]+) (?P<mark>[0-9a-f]{16})\n(?P<text>.*?)\n(?P=name) (?P=mark)>>>", re.DOTALL)


@dataclass
class ScriptedModels:
    """Answers by a script for each role, and records the requests."""

    attacker: Script = lambda turns, epoch: ""
    target: Script = lambda turns, epoch: ""
    judge: Script = lambda turns, epoch: ""
    requests: list[tuple[ModelRole, Turns, int]] = field(default_factory=list)

    async def __call__(
        self, role: ModelRole, turns: Turns, *, temperature: float, json_schema: str, epoch: int
    ) -> ModelReply:
        self.requests.append((role, turns, epoch))
        scripts = {ModelRole.ATTACKER: self.attacker, ModelRole.TARGET: self.target, ModelRole.JUDGE: self.judge}
        answer = scripts[role](turns, epoch)
        return answer if isinstance(answer, ModelReply) else ModelReply(answer, tokens=10, cost_usd=0.5, seconds=2.0)

    def conversations_with(self, role: ModelRole) -> list[Turns]:
        """Return the conversations that a role received."""
        return [turns for receiver, turns, _ in self.requests if receiver is role]

    def session(self, *, epoch: int = 0, roles: frozenset[ModelRole] = frozenset(ModelRole)) -> AttackSession:
        return AttackSession(self, roles, epoch)


def parse_fences(turns: Turns) -> dict[str, str]:
    """Return the delimited material of a question, by name."""
    return {found["name"]: found["text"] for found in FENCE.finditer(turns[-1].content)}


def score_json(score: int, *, refused: bool = False) -> str:
    return json.dumps({"reason": "so it seems", "refused": refused, "score": score})


def question_json(question: str) -> str:
    return json.dumps({"question": question, "reason": "a small step"})
