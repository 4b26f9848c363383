"""Prints conversations, and answers with their verdicts."""

from __future__ import annotations

from collections.abc import Iterable

import click

from libra.cli.render.format import dollars, enum_name
from libra.cli.render.sanitize import sanitize
from libra.core.adjustment_text import describe
from libra.core.outcome_names import outcome_name
from libra.core.response_names import response_name
from libra.v1.completion_pb2 import Completion, FinishReason, ResponseClass
from libra.v1.message_pb2 import Message
from libra.v1.verdict_pb2 import Outcome, Verdict

OUTCOMES_WITH_SCORE = (Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED)


def print_messages(messages: Iterable[Message]) -> None:
    """Print each message that is not empty under its role."""
    for message in messages:
        if message.content:
            print_block(message.role, message.content)


def print_verdict(verdict: Verdict) -> None:
    """Print one trial: the log of its attack, the prompt, the answer, and the judge's verdict with its reason."""
    click.secho(f"── {verdict.id}", bold=True)
    print_messages(verdict.log)
    print_messages(verdict.messages)
    if verdict.HasField("completion"):
        head = f"{verdict.model} answers{answer_note(verdict.completion)}"
        print_block(head, verdict.completion.text or "(empty answer)")
        if verdict.completion.adjustments:
            print_block("the request was adjusted", "\n".join(map(describe, verdict.completion.adjustments)))
    judge = f"{verdict.judge.name} {verdict.judge.version}".strip()
    print_block(
        f"{judge or 'no judge'} says", f"{verdict_text(verdict)}{verdict.rationale and f': {verdict.rationale}'}"
    )
    click.echo()


def verdict_text(verdict: Verdict) -> str:
    """Return outcome, score and label on one line."""
    score = f" {verdict.score:.3g}" if verdict.outcome in OUTCOMES_WITH_SCORE else ""
    return f"{outcome_name(verdict.outcome)}{score}{verdict.label and f', {verdict.label}'}"


def print_block(head: str, text: str) -> None:
    """Print a head, and the text indented below it."""
    click.secho(f"{sanitize(head)}:", bold=True)
    for line in sanitize(text).split("\n"):
        click.echo(f"    {line}".rstrip())


def answer_note(completion: Completion) -> str:
    """Return in brackets what came back, the tokens and the cost; "" for an answer of which there is nothing to say."""
    notes = [note for note in (_response_note(completion), _usage_note(completion)) if note]
    return f" ({'; '.join(notes)})" if notes else ""


def _response_note(completion: Completion) -> str:
    """Return the class of the response with the provider's category and words; "" for an ordinary answer."""
    response = completion.response
    if response.response_class == ResponseClass.RESPONSE_CLASS_ANSWERED:
        return ""
    if response.response_class:
        terms = (response_name(response.response_class).replace("_", " "), response.category, response.words)
        return ": ".join(dict.fromkeys(term for term in terms if term))
    if completion.finish_reason in (FinishReason.FINISH_REASON_STOP, FinishReason.FINISH_REASON_UNSPECIFIED):
        return ""
    return enum_name(FinishReason, completion.finish_reason, "FINISH_REASON_")


def _usage_note(completion: Completion) -> str:
    """Return the tokens and the cost, or that they are unknown; "" if there is no answer."""
    if completion.usage_unknown:
        return "usage and cost unknown"
    usage = completion.usage
    if not usage.prompt_tokens and not usage.completion_tokens:
        return ""
    cost = f", ${dollars(completion.cost_usd)}" if completion.cost_usd else ""
    return f"{usage.prompt_tokens:,} + {usage.completion_tokens:,} tokens{cost}"
