"""Shared by the multi-turn attacks: one attempt on the target, the proposal of the next one, concurrent branches."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from libra.attack.attack_session import AttackSession, UnusableReply
from libra.attack.attempt_scorer import MIN_SCORE, VERSION, AttemptScore, score_attempt
from libra.attack.catalogue.attack import Attack, ModelUse, RewriteWithModel
from libra.attack.conversation import Turn, Turns
from libra.attack.gather import gather_or_cancel
from libra.attack.structured_prompt import build_prompt, object_schema, parse_texts

T = TypeVar("T")

TEMPERATURE = 1.0
"""The attacker's temperature, as in the papers: a search needs attempts that differ."""

MAX_TRIES = 2
"""Requests for one proposal, if the attacker's replies cannot be parsed."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A conversation with the target, its answer, and the judge's score."""

    turns: Turns
    """The whole conversation up to and including the prompt."""

    answer: str
    score: AttemptScore

    @property
    def prompt(self) -> str:
        """The last prompt."""
        return self.turns[-1].content

    @property
    def rank(self) -> tuple[int, bool]:
        """The score; of two equal scores, the one of an answer that is not a refusal ranks higher."""
        return self.score.score, not self.score.refused


async def make_attempt(session: AttackSession, turns: Turns, aim: str) -> Attempt:
    """Ask the target and score its answer; raise UnusableReply if there is no answer or no score."""
    answer = await session.ask_target(turns)
    return Attempt(turns, answer, await score_attempt(session, aim, answer))


def pick_best(attempts: Sequence[Attempt]) -> Attempt:
    """Return the attempt of the highest rank, the last of several; there is at least one."""
    return max(reversed(attempts), key=lambda attempt: attempt.rank)


def finish(session: AttackSession, attempts: Sequence[Attempt]) -> Turns:
    """Return the conversation of the best attempt, and leave its rating with the session; there is at least one."""
    best = pick_best(attempts)
    session.rating, session.rater = MIN_SCORE if best.score.refused else best.score.score, f"attempt_scorer@{VERSION}"
    return best.turns


async def propose(
    session: AttackSession, task: str, material: Mapping[str, str], fields: Mapping[str, str], *, branch: int = 0
) -> dict[str, str]:
    """Return the attacker model's texts by name.

    Args:
        session: the session.
        task: what the attacker has to do.
        material: what it works with, by name.
        fields: the description of each text, by name; the first one is required.
        branch: from 0 to 7, or to 63 in a search of the published size; each concurrent branch gets different answers
            to the same request.

    Raises:
        UnusableReply: no reply of MAX_TRIES holds the first text.
    """
    prompt = build_prompt(task, material, answer_format(fields))
    problem = UnusableReply("the attacker model was not asked")
    for retry in range(MAX_TRIES):
        reply = await session.ask_attacker(
            prompt,
            temperature=TEMPERATURE,
            json_schema=object_schema(**fields),
            variant=session.epoch * session.variants_per_epoch + MAX_TRIES * branch + retry,
        )
        try:
            return parse_texts(reply, list(fields))
        except UnusableReply as error:
            problem = error
    raise problem


def answer_format(fields: Mapping[str, str]) -> str:
    """Return the sentence that asks the attacker for a JSON object with these fields."""
    shape = ", ".join(f'"{name}": "<{about}>"' for name, about in fields.items())
    return f"Answer with one JSON object and nothing else: {{{shape}}}."


def describe_attempts(attempts: Sequence[Attempt]) -> str:
    """Return the text about earlier attempts for the attacker, the earliest first."""
    if not attempts:
        return "(none yet)"
    return "\n\n".join(
        f"[attempt {number}]\n{attempt.prompt}\n\n[answer]\n{attempt.answer or '(nothing)'}\n\n"
        f"[score] {attempt.score.score} of 10: {attempt.score.reason}"
        for number, attempt in enumerate(attempts, start=1)
    )


def add_prompt(turns: Turns, prompt: str) -> Turns:
    """Return the conversation with the prompt as its next turn."""
    return (*turns, Turn("user", prompt))


async def run_branches(
    session: AttackSession, steps: Sequence[Callable[[AttackSession], Coroutine[Any, Any, T]]]
) -> list[T]:
    """Run the steps concurrently and return their results in order; the log keeps the same order."""
    branches = [session.branch() for _ in steps]
    results = await gather_or_cancel(step(branch) for step, branch in zip(steps, branches, strict=True))
    for branch in branches:
        session.merge(branch)
    return results


def multi_turn_attack(name: str, run: RewriteWithModel, *, description: str, source: str, example: Turns) -> Attack:
    """Return the attack, in version 1, that needs models and talks to the target."""
    return Attack(
        name=name,
        version="1",
        description=description,
        source=source,
        transform=None,
        family="multi-turn",
        model_use=ModelUse.REQUIRED,
        rewrites_request=True,
        multi_turn=True,
        rewrite_with_model=run,
        static_example=example,
    )
