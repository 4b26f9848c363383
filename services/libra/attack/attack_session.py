"""What an attack on one sample says to models, what it hears from them, and what that costs."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from libra.attack.conversation import Turn, Turns
from libra.prompting.reasoning import strip_reasoning

MOST_ASKED = 100
"""Questions that one attack on one sample puts to models, at most. The longest search of the catalogue has some 90."""

DRAWS = 16
"""Answers to one question that an attack may want, at most: each is kept under an epoch of its own."""


class Role(StrEnum):
    """Who is asked; the values are roles in a trial's log."""

    ATTACKER = "attacker"
    """Writes for the attack."""

    TARGET = "target"
    """The model under attack."""

    JUDGE = "judge"
    """Says how far an attempt has come."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, or why it said nothing, and what that took when it was asked."""

    text: str = ""
    error: str = ""
    filtered: bool = False
    """Its provider's filter stopped it: that is how it refuses."""

    cut: bool = False
    """It reached the limit of tokens."""

    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0


class Ask(Protocol):
    """A way to put a conversation to a model."""

    def __call__(
        self, role: Role, turns: Turns, *, temperature: float, json_schema: str, epoch: int
    ) -> Awaitable[Reply]:
        """Return the reply. A target is asked as its run asks it, whatever else is said here.

        The same question is asked once for each `epoch`. Raises libra.errors.Unavailable if nobody can be asked now.
        """
        ...


class Useless(Exception):
    """A model gave no answer, or one that the attack cannot work with; the message says which."""


@dataclass(slots=True)
class Spent:
    """What was spent on questions; shared answers count wherever they are used, as if they had been asked there."""

    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    def add(self, other: Reply | Spent) -> None:
        """Add what one reply took, or several."""
        self.tokens += other.tokens
        self.cost_usd += other.cost_usd
        self.seconds += other.seconds


@dataclass(slots=True)
class Count:
    """How many questions were asked, by all lines of an attack together."""

    asked: int = 0


@dataclass(slots=True)
class AttackSession:
    """The questions of one attack on one sample: bounded in number, each in the log, in an order that hangs on nothing else."""

    ask: Ask
    named: frozenset[Role] = frozenset(Role)
    """Who can be asked."""

    repeat: int = 0
    """The trial's epoch: an attack of several turns is repeated as a whole."""

    log: list[Turn] = field(default_factory=list)
    """What was said, by role."""

    count: Count = field(default_factory=Count)
    spent: Spent = field(default_factory=Spent)
    """On attacker and judge."""

    answered: dict[Turns, Reply] = field(default_factory=dict)
    """What the target said to each conversation."""

    async def attacker(self, turns: Turns, *, temperature: float, json_schema: str = "", draw: int = 0) -> str:
        """Return what the attack's model writes, without its reasoning; raise Useless if that is nothing, or cut off."""
        return await self._said(Role.ATTACKER, turns, temperature=temperature, json_schema=json_schema, draw=draw)

    async def judge(self, turns: Turns, *, json_schema: str, draw: int = 0) -> str:
        """Return what the judge model says of an attempt, without its reasoning; raise Useless if that is nothing."""
        return await self._said(Role.JUDGE, turns, temperature=0.0, json_schema=json_schema, draw=draw)

    async def target(self, turns: Turns) -> str:
        """Return what the model under attack answers, without its reasoning; "" if it was filtered or said nothing.

        Raises Useless if its provider gave no answer.
        """
        reply = await self._reply(Role.TARGET, turns, temperature=0.0, json_schema="", epoch=0)
        self.answered[turns] = reply
        if reply.error:
            raise Useless(f"the target gave no answer: {reply.error}")
        text = "" if reply.filtered else strip_reasoning(reply.text)
        self.log.append(
            Turn(Role.TARGET, text or ("(stopped by the provider's filter)" if reply.filtered else "(nothing)"))
        )
        return text

    def branch(self) -> AttackSession:
        """Return a talk for one of several lines that go on side by side; `join` brings what it says back."""
        return AttackSession(self.ask, self.named, self.repeat, count=self.count)

    def join(self, other: AttackSession) -> None:
        """Take in what a branch has said."""
        self.log += other.log
        self.spent.add(other.spent)
        self.answered |= other.answered

    def cost(self, final: Turns | None) -> Spent:
        """Return what the attack took, without the answer to the `final` conversation: that one is the trial's own."""
        whole = Spent()
        whole.add(self.spent)
        for turns, reply in self.answered.items():
            if turns != final:
                whole.add(reply)
        return whole

    async def _said(self, role: Role, turns: Turns, *, temperature: float, json_schema: str, draw: int) -> str:
        reply = await self._reply(role, turns, temperature=temperature, json_schema=json_schema, epoch=draw)
        self.spent.add(reply)
        if reply.error:
            raise Useless(f"the {role} model gave no answer: {reply.error}")
        text = "" if reply.filtered else strip_reasoning(reply.text)
        self.log.append(Turn(role, text))
        if not text:
            raise Useless(f"the {role} model {'was stopped by its provider' if reply.filtered else 'said nothing'}")
        if reply.cut and not json_schema:  # of an object, what matters may be there; of a text, its end is missing
            raise Useless(f"what the {role} model wrote was cut off at its limit of tokens")
        return text

    async def _reply(self, role: Role, turns: Turns, *, temperature: float, json_schema: str, epoch: int) -> Reply:
        if role not in self.named:
            raise Useless(f"no {role} model is named")
        self.count.asked += 1
        if self.count.asked > MOST_ASKED:
            raise Useless(f"the attack has asked {MOST_ASKED} times and come to no end")
        return await self.ask(role, turns, temperature=temperature, json_schema=json_schema, epoch=epoch)
