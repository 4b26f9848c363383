"""The conversation of one attack on one sample with models: its requests, its log and its cost."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from libra.attack.conversation import Turn, Turns
from libra.core.adjustment_text import join_adjusted_texts
from libra.prompting.reasoning import strip_reasoning

MAX_MODEL_CALLS = 100
"""Model calls of one attack on one sample. The longest search of the usual size makes about 90."""

MAX_PUBLISHED_CALLS = 2_500
"""The same for searches of their published size: 10 levels of 40 attempts in TAP, with up to 6 calls each."""

VARIANTS_PER_EPOCH = 16
"""Limit of different answers to one question per epoch of a trial; each is stored under its own completion epoch."""

PUBLISHED_VARIANTS_PER_EPOCH = 128
"""The same for searches of their published size, which have up to 40 branches."""


class ModelRole(StrEnum):
    """The part of a model in an attack; the values are roles in a trial's log."""

    ATTACKER = "attacker"
    """Writes for the attack."""

    TARGET = "target"
    """The model under attack."""

    JUDGE = "judge"
    """Scores the attempts of a multi-turn attack."""


@dataclass(frozen=True, slots=True)
class ModelReply:
    """The answer of a model or the reason why there is none, with its usage."""

    text: str = ""
    error: str = ""
    filtered: bool = False
    """The provider's content filter blocked the answer; it counts as a refusal."""

    truncated: bool = False
    """The answer reached the limit of tokens."""

    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    is_price_unknown: bool = False
    """No price of the model is known."""
    adjusted: str = ""
    """Parameters that the model's endpoint refuses and that are therefore sent otherwise; usually empty."""
    is_usage_unknown: bool = False
    """The provider did not count the tokens."""


class AskModel(Protocol):
    """Sends a conversation to the model in a role."""

    def __call__(
        self, role: ModelRole, turns: Turns, *, temperature: float, json_schema: str, epoch: int
    ) -> Awaitable[ModelReply]:
        """Return the reply. A target is always asked with the parameters of its run; the arguments do not apply to it.

        Each `epoch` of the same question has its own answer. Raises Unavailable if no model can be reached
        now.
        """
        ...


class UnusableReply(Exception):
    """A model gave no answer, or an answer that the attack cannot use; the message says which."""


@dataclass(slots=True)
class AttackCost:
    """Usage of model calls. An answer that several attacks share counts in each of them."""

    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    is_price_unknown: bool = False
    """No price is known for an answer: dollars are a lower limit."""
    is_usage_unknown: bool = False
    """The provider did not count the tokens of an answer: tokens and dollars are lower limits."""

    def add(self, other: ModelReply | AttackCost) -> None:
        """Add the usage of one reply or of several."""
        self.tokens += other.tokens
        self.cost_usd += other.cost_usd
        self.seconds += other.seconds
        self.is_price_unknown |= other.is_price_unknown
        self.is_usage_unknown |= other.is_usage_unknown


@dataclass(slots=True)
class CallCounter:
    """Number of model calls of an attack, shared by all its branches."""

    calls: int = 0
    limit: int = MAX_MODEL_CALLS


@dataclass(slots=True)
class AttackSession:
    """The model calls of one attack on one sample: limited in number, logged, and always in the same order."""

    ask_model: AskModel
    available_roles: frozenset[ModelRole] = frozenset(ModelRole)
    """The roles for which a model is named."""

    epoch: int = 0
    """The trial's epoch: each epoch repeats a multi-turn attack as a whole."""

    log: list[Turn] = field(default_factory=list)
    """All replies, by role."""

    call_counter: CallCounter = field(default_factory=CallCounter)
    helper_cost: AttackCost = field(default_factory=AttackCost)
    """Cost of the attacker and the judge."""

    target_replies: dict[Turns, ModelReply] = field(default_factory=dict)
    """The target's reply to each conversation."""

    rating: int | None = None
    """The score of the best attempt of a multi-turn attack, whose conversation is the result."""

    rater: str = ""
    """The name and version of what gave the rating."""

    size: str = ""
    """The bounds of a multi-turn attack."""

    variants_per_epoch: int = VARIANTS_PER_EPOCH

    adjusted_texts: set[str] = field(default_factory=set)
    """The parameters that the endpoint of each model refuses."""

    async def ask_attacker(self, turns: Turns, *, temperature: float, json_schema: str = "", variant: int = 0) -> str:
        """Return the attacker model's text without its reasoning; raise UnusableReply if it is empty or truncated."""
        return await self._ask_helper(
            ModelRole.ATTACKER, turns, temperature=temperature, json_schema=json_schema, variant=variant
        )

    async def ask_judge(self, turns: Turns, *, json_schema: str, variant: int = 0) -> str:
        """Return the judge model's text without its reasoning; raise UnusableReply if it is empty."""
        return await self._ask_helper(ModelRole.JUDGE, turns, temperature=0.0, json_schema=json_schema, variant=variant)

    async def ask_target(self, turns: Turns) -> str:
        """Return the answer of the model under attack without its reasoning; "" if it is empty or was filtered.

        Raises UnusableReply if the provider gave no answer.
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

    def adjusted(self) -> str:
        """Return what the endpoints of all models of the attack refuse."""
        return join_adjusted_texts(self.adjusted_texts)

    def branch(self) -> AttackSession:
        """Return a session for one of several concurrent branches; `merge` adds its log and cost to this one."""
        return AttackSession(
            self.ask_model,
            self.available_roles,
            self.epoch,
            call_counter=self.call_counter,
            variants_per_epoch=self.variants_per_epoch,
        )

    def begin_search(self, size: str, *, is_published: bool) -> None:
        """Note the bounds of a multi-turn attack, and raise the limits for one of the published size."""
        self.size = size
        if is_published:
            self.call_counter.limit = MAX_PUBLISHED_CALLS
            self.variants_per_epoch = PUBLISHED_VARIANTS_PER_EPOCH

    def merge(self, branch: AttackSession) -> None:
        """Add the log and the cost of a branch."""
        self.log += branch.log
        self.helper_cost.add(branch.helper_cost)
        self.target_replies |= branch.target_replies
        self.adjusted_texts |= branch.adjusted_texts

    def total_cost(self, final: Turns | None) -> AttackCost:
        """Return the cost of the attack without the answer to the `final` conversation, which belongs to the trial."""
        total = AttackCost()
        total.add(self.helper_cost)
        for turns, reply in self.target_replies.items():
            if turns != final:
                total.add(reply)
        return total

    async def _ask_helper(
        self, role: ModelRole, turns: Turns, *, temperature: float, json_schema: str, variant: int
    ) -> str:
        reply = await self._call_model(role, turns, temperature=temperature, json_schema=json_schema, epoch=variant)
        self.helper_cost.add(reply)
        if reply.error:
            raise UnusableReply(f"the {role} model gave no answer: {reply.error}")
        text = "" if reply.filtered else strip_reasoning(reply.text)
        self.log.append(Turn(role, text))
        if not text:
            reason = "its answer was blocked by the provider's filter" if reply.filtered else "its answer is empty"
            raise UnusableReply(f"the {role} model gave no text: {reason}")
        if reply.truncated and not json_schema:  # a truncated object may still hold its fields; a text lacks its end
            raise UnusableReply(f"the text of the {role} model was cut off at its limit of tokens")
        return text

    async def _call_model(
        self, role: ModelRole, turns: Turns, *, temperature: float, json_schema: str, epoch: int
    ) -> ModelReply:
        if role not in self.available_roles:
            raise UnusableReply(f"no {role} model is named")
        self.call_counter.calls += 1
        if self.call_counter.calls > self.call_counter.limit:
            raise UnusableReply(f"the attack reached its limit of {self.call_counter.limit:,} model calls")
        reply = await self.ask_model(role, turns, temperature=temperature, json_schema=json_schema, epoch=epoch)
        self.adjusted_texts.add(reply.adjusted)
        return reply
