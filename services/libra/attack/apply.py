"""Apply an attack to one conversation: by a model if the attack can ask one and one is named, else by its rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from libra.attack.attack_session import AttackSession, ModelRole, UnusableReply
from libra.attack.catalogue.attack import Attack, ModelUse
from libra.attack.conversation import Turns, check_conversation
from libra.attack.seeded_random import SeededRandom
from libra.core.adjustment_text import ATTACK_ADJUSTED_FIELD
from libra.core.attack_fields import RATER, RATING, SIZE
from libra.core.errors import Invalid

MAX_LOG_BYTES = 1024 * 1024
"""Size of a trial's log. With a prompt and an answer of maximum size, the message stays below the queue's limit."""


class AttackForm(StrEnum):
    """Whether a model or rules wrote the text of an attack; the values are those of the field `attack_form`."""

    MODEL = "model"
    RULES = "rules"


FORM, TOKENS, COST, SECONDS = "attack_form", "attack_tokens", "attack_cost_usd", "attack_seconds"
"""Fields that are added to a trial and thereby to its verdict."""

USAGE = "attack_usage"
"""The field that is "unknown" if a provider did not count the tokens of all answers."""

PRICE = "attack_price"
"""The field that is "unknown" if no price of one of the models is known."""


@dataclass(frozen=True, slots=True)
class AttackedConversation:
    """A conversation under attack."""

    turns: Turns
    form: AttackForm
    """RULES if at least one step of a composition could have asked a model and used its rules."""


def will_ask_model(attack: Attack, attacker: str) -> bool:
    """Tell whether the attack asks a model when `attacker` is the model that is named for it ("" for none)."""
    return attack.model_use is not ModelUse.NEVER and bool(attacker)


async def apply_attack(
    attack: Attack, turns: Turns, seed: int, session: AttackSession, *, allow_fallback: bool = True
) -> AttackedConversation:
    """Return the conversation under attack.

    If a model's replies are unusable, the attack uses its rules, if it has any and `allow_fallback` is true.

    Raises:
        UnusableReply: no model gave a usable reply, and there is no fallback.
        Invalid: the attack cannot be applied to this conversation, or a model that it needs is not named.
        Unavailable: the models cannot be reached now.
    """
    form = AttackForm.MODEL
    for step in attack.steps or (attack,):
        check_conversation(turns)
        if step.rewrite_with_model is None or ModelRole.ATTACKER not in session.available_roles:
            turns = step.apply_rules(turns, seed)
            used_rules = step.model_use is not ModelUse.NEVER
        else:
            turns, used_rules = await _apply_with_model(step, turns, seed, session, allow_fallback=allow_fallback)
        form = AttackForm.RULES if used_rules else form
    check_conversation(turns)
    if len(attack.steps) > 1:
        session.rating = None  # it measures the result of the earlier steps and not the aim
    return AttackedConversation(turns, form)


async def _apply_with_model(
    step: Attack, turns: Turns, seed: int, session: AttackSession, *, allow_fallback: bool
) -> tuple[Turns, bool]:
    """Return the new conversation, and whether the rules made it."""
    if step.rewrite_with_model is None:
        raise Invalid(f"the attack {step.name} asks no model", field="attack")
    if step.multi_turn and ModelRole.JUDGE not in session.available_roles:
        raise Invalid(f"the attack {step.name} needs a model that judges its attempts", field="judge_model")
    if step.multi_turn and ModelRole.TARGET not in session.available_roles:
        raise Invalid(
            f"the attack {step.name} talks to the model under attack, and none is named", field="target_model"
        )
    try:
        return await step.rewrite_with_model(turns, SeededRandom(f"{step.name}/{seed}"), session), False
    except UnusableReply:
        if step.transform is None or not allow_fallback:
            raise
        return step.apply_rules(turns, seed), True


def attack_fields(
    form: AttackForm | None, session: AttackSession | None = None, final: Turns | None = None
) -> dict[str, str]:
    """Return the trial fields for the form of the attack and its cost, without the answer to the `final` conversation.

    Tokens are counted by the providers, US dollars follow from the models' prices, and seconds are the sum of the
    latencies.
    """
    fields = {FORM: str(form)} if form else {}
    if session is not None and session.call_counter.calls:
        cost = session.total_cost(final)
        fields |= {TOKENS: str(cost.tokens), COST: f"{cost.cost_usd:.6f}", SECONDS: f"{cost.seconds:.3f}"}
        fields |= {PRICE: "unknown"} if cost.is_price_unknown else {}
        if adjusted := session.adjusted():
            fields[ATTACK_ADJUSTED_FIELD] = adjusted
        fields |= {USAGE: "unknown"} if cost.is_usage_unknown else {}
        fields |= rating_fields(session)
    return fields


def rating_fields(session: AttackSession) -> dict[str, str]:
    """Return the trial fields for the bounds of a multi-turn attack, and for the rating of its best attempt."""
    fields = {SIZE: session.size} if session.size else {}
    if session.rating is not None:
        fields |= {RATING: str(session.rating), RATER: session.rater}
    return fields


def truncate_log(session: AttackSession) -> Turns:
    """Return the first turns of the session's log that fit into MAX_LOG_BYTES."""
    kept, free_bytes = [], MAX_LOG_BYTES
    for turn in session.log:
        free_bytes -= len(turn.content.encode())
        if free_bytes < 0:
            break
        kept.append(turn)
    return tuple(kept)
