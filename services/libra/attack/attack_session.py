"""What an attack on one sample says to models, what it hears from them, and what that costs."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from libra.attack.conversation import Turn, Turns
from libra.prompting.reasoning import strip_reasoning

MAX_MODEL_CALLS = 100
"""Questions that one attack on one sample puts to models, at most. The longest search of the catalogue has some 90."""

VARIANTS_PER_EPOCH = 16
"""Answers to one question that an attack may want, at most: each is kept under an epoch of its own."""


class ModelRole(StrEnum):
    """Who is asked; the values are roles in a trial's log."""

    ATTACKER = "attacker"
    """Writes for the attack."""

    TARGET = "target"
    """The model under attack."""

    JUDGE = "judge"
    """Says how far an attempt has come."""


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What a model said, or why it said nothing, and what that took when it was asked."""

    text: str = ""
    error: str = ""
    filtered: bool = False
    """Its provider's filter stopped it: that is how it refuses."""

    truncated: bool = False
    """It reached the limit of tokens."""

    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0


class AskModel(Protocol):
    """A way to put a conversation to a model."""

    def __call__(
        self, role: ModelRole, turns: Turns, *, temperature: float, json_schema: str, epoch: int
    ) -> Awaitable[ModelReply]:
        """Return the reply. A target is asked as its run asks it, whatever else is said here.

        The same question is asked once for each `epoch`. Raises libra.errors.Unavailable if nobody can be asked now.
        """
        ...


class UnusableReply(Exception):
    """A model gave no answer, or one that the attack cannot work with; the message says which."""


@dataclass(slots=True)
class AttackCost:
    """What was spent on questions; shared answers count wherever they are used, as if they had been asked there."""

    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    def add(self, other: ModelReply | AttackCost) -> None:
        """Add what one reply took, or several."""
        self.tokens += other.tokens
        self.cost_usd += other.cost_usd
        self.seconds += other.seconds


@dataclass(slots=True)
class CallCounter:
    """How many questions were asked, by all lines of an attack together."""

    calls: int = 0


@dataclass(slots=True)
class AttackSession:
    """The questions of one attack on one sample: bounded in number, each in the log, in an order that hangs on nothing else."""

    ask_model: AskModel
    available_roles: frozenset[ModelRole] = frozenset(ModelRole)
    """Who can be asked."""

    epoch: int = 0
    """The trial's epoch: an attack of several turns is repeated as a whole."""

    log: list[Turn] = field(default_factory=list)
    """What was said, by role."""

    call_counter: CallCounter = field(default_factory=CallCounter)
    helper_cost: AttackCost = field(default_factory=AttackCost)
    """On attacker and judge."""

    target_replies: dict[Turns, ModelReply] = field(default_factory=dict)
    """What the target said to each conversation."""

    async def ask_attacker(self, turns: Turns, *, temperature: float, json_schema: str = "", draw: int = 0) -> str:
        """Return what the attack's model writes, without its reasoning; raise Useless if that is nothing, or cut off."""
        return await self._ask_helper(
            ModelRole.ATTACKER, turns, temperature=temperature, json_schema=json_schema, draw=draw
        )

    async def ask_judge(self, turns: Turns, *, json_schema: str, draw: int = 0) -> str:
        """Return what the judge model says of an attempt, without its reasoning; raise Useless if that is nothing."""
        return await self._ask_helper(ModelRole.JUDGE, turns, temperature=0.0, json_schema=json_schema, draw=draw)

    async def ask_target(self, turns: Turns) -> str:
        """Return what the model under attack answers, without its reasoning; "" if it was filtered or said nothing.

        Raises Useless if its provider gave no answer.
        """
        reply = await self._call_model(ModelRole.TARGET, turns, temperature=0.0, json_schema="", epoch=0)
        self.target_replies[turns] = reply
        if reply.error:
            raise UnusableReply(f"the target gave no answer: {reply.error}")
        text = "" if reply.filtered else strip_reasoning(reply.text)
        self.log.append(
            Turn(ModelRole.TARGET, text or ("(stopped by the provider's filter)" if reply.filtered else "(nothing)"))
        )
        return text

    def branch(self) -> AttackSession:
        """Return a talk for one of several lines that go on side by side; `join` brings what it says back."""
        return AttackSession(self.ask_model, self.available_roles, self.epoch, call_counter=self.call_counter)

    def merge(self, other: AttackSession) -> None:
        """Take in what a branch has said."""
        self.log += other.log
        self.helper_cost.add(other.helper_cost)
        self.target_replies |= other.target_replies

    def total_cost(self, final: Turns | None) -> AttackCost:
        """Return what the attack took, without the answer to the `final` conversation: that one is the trial's own."""
        whole = AttackCost()
        whole.add(self.helper_cost)
        for turns, reply in self.target_replies.items():
            if turns != final:
                whole.add(reply)
        return whole

    async def _ask_helper(
        self, role: ModelRole, turns: Turns, *, temperature: float, json_schema: str, draw: int
    ) -> str:
        reply = await self._call_model(role, turns, temperature=temperature, json_schema=json_schema, epoch=draw)
        self.helper_cost.add(reply)
        if reply.error:
            raise UnusableReply(f"the {role} model gave no answer: {reply.error}")
        text = "" if reply.filtered else strip_reasoning(reply.text)
        self.log.append(Turn(role, text))
        if not text:
            raise UnusableReply(
                f"the {role} model {'was stopped by its provider' if reply.filtered else 'said nothing'}"
            )
        if (
            reply.truncated and not json_schema
        ):  # of an object, what matters may be there; of a text, its end is missing
            raise UnusableReply(f"what the {role} model wrote was cut off at its limit of tokens")
        return text

    async def _call_model(
        self, role: ModelRole, turns: Turns, *, temperature: float, json_schema: str, epoch: int
    ) -> ModelReply:
        if role not in self.available_roles:
            raise UnusableReply(f"no {role} model is named")
        self.call_counter.calls += 1
        if self.call_counter.calls > MAX_MODEL_CALLS:
            raise UnusableReply(f"the attack has asked {MAX_MODEL_CALLS} times and come to no end")
        return await self.ask_model(role, turns, temperature=temperature, json_schema=json_schema, epoch=epoch)
