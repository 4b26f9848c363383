"""Put an attack to one conversation, by a model where it asks one and one is named, else by its rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from libra.attack.attack_session import AttackSession, ModelRole, UnusableReply
from libra.attack.catalogue.attack import Attack, ModelUse
from libra.attack.conversation import Turns, check_conversation
from libra.attack.seeded_random import SeededRandom
from libra.errors import Invalid

MAX_LOG_BYTES = 1024 * 1024
"""Of all that was said together: with a prompt and an answer at their limits, still below what one message on the queue may have."""


class AttackForm(StrEnum):
    """How an attack that may ask a model was made; the values are those of the field `attack_form`."""

    MODEL = "model"
    RULES = "rules"


FORM, TOKENS, COST, SECONDS = "attack_form", "attack_tokens", "attack_cost_usd", "attack_seconds"
"""Fields that a trial gains, and its verdict with it."""


@dataclass(frozen=True, slots=True)
class AttackedConversation:
    """A conversation under attack."""

    turns: Turns
    form: AttackForm
    """RULES as soon as one step of a composition that may ask a model was made by its rules."""


def will_ask_model(attack: Attack, attacker: str) -> bool:
    """Tell whether a model is asked for the attack if this one (or "", none) is named to write for it."""
    return attack.model_use is not ModelUse.NEVER and bool(attacker)


async def apply_attack(
    attack: Attack, turns: Turns, seed: int, session: AttackSession, *, strictly: bool = False
) -> AttackedConversation:
    """Return the conversation under attack.

    Where a model gives nothing of use an attack falls back on its rules; `strictly`, or if it has none, Useless is raised. Raises
    Invalid if it cannot be put to this conversation, or a model that it needs is not named; Unavailable if nobody can be asked now.
    """
    form = AttackForm.MODEL
    for step in attack.steps or (attack,):
        check_conversation(turns)
        if step.rewrite_with_model is None or ModelRole.ATTACKER not in session.available_roles:
            turns = step.apply_rules(turns, seed)
            by_rules = step.model_use is not ModelUse.NEVER
        else:
            turns, by_rules = await _apply_with_model(step, turns, seed, session, strictly=strictly)
        form = AttackForm.RULES if by_rules else form
    check_conversation(turns)
    return AttackedConversation(turns, form)


async def _apply_with_model(
    step: Attack, turns: Turns, seed: int, session: AttackSession, *, strictly: bool
) -> tuple[Turns, bool]:
    """Return what a model makes of the conversation, and False; or what the rules make of it, and True."""
    if step.rewrite_with_model is None:
        raise Invalid(f"the attack {step.name} asks no model", field="attack")
    if step.multi_turn and ModelRole.JUDGE not in session.available_roles:
        raise Invalid(f"the attack {step.name} needs a model that judges its attempts", field="judge_model")
    if step.multi_turn and ModelRole.TARGET not in session.available_roles:
        raise Invalid(
            f"the attack {step.name} speaks with the model under attack, and none is named", field="target_model"
        )
    try:
        return await step.rewrite_with_model(turns, SeededRandom(f"{step.name}/{seed}"), session), False
    except UnusableReply:
        if strictly or step.transform is None:
            raise
        return step.apply_rules(turns, seed), True


def attack_fields(
    form: AttackForm | None, session: AttackSession | None = None, final: Turns | None = None
) -> dict[str, str]:
    """Return the fields that say how a trial was attacked and what that took, without the answer to the `final` conversation.

    Tokens as the providers count them, US dollars by the models' prices, seconds of the answers added up.
    """
    fields = {FORM: str(form)} if form else {}
    if session is not None and session.call_counter.calls:
        spent = session.total_cost(final)
        fields |= {TOKENS: str(spent.tokens), COST: f"{spent.cost_usd:.6f}", SECONDS: f"{spent.seconds:.3f}"}
    return fields


def truncate_log(session: AttackSession) -> Turns:
    """Return the log, as far as it goes into one message."""
    kept, room_bytes = [], MAX_LOG_BYTES
    for turn in session.log:
        room_bytes -= len(turn.content.encode())
        if room_bytes < 0:
            break
        kept.append(turn)
    return tuple(kept)
