"""Print what was said: the turns of a conversation, and an answer with the verdict on it."""

from __future__ import annotations

from collections.abc import Iterable

import click

from libra.cli.render.sanitize import outcome_word, plain, word
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.message_pb2 import Message
from libra.v1.verdict_pb2 import Outcome, Verdict

SCORED = (Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED)


def print_messages(messages: Iterable[Message]) -> None:
    """Print each turn that is not empty under the name of its speaker."""
    for message in messages:
        if message.content:
            block(message.role, message.content)


def print_verdict(verdict: Verdict) -> None:
    """Print one trial whole: what an attack went through, what was asked, what was answered, how it was judged."""
    click.secho(f"── {verdict.id}", bold=True)
    print_messages(verdict.log)
    print_messages(verdict.messages)
    if verdict.HasField("completion"):
        block(f"{verdict.model} answers{finish(verdict.completion)}", verdict.completion.text or "(nothing)")
    judge = f"{verdict.judge.name} {verdict.judge.version}".strip()
    block(f"{judge or 'no judge'} says", f"{judged(verdict)}{verdict.rationale and f': {verdict.rationale}'}")
    click.echo()


def finish(completion: Completion) -> str:
    """Return why the model stopped, in brackets, unless it was done."""
    if completion.finish_reason in (FinishReason.FINISH_REASON_STOP, FinishReason.FINISH_REASON_UNSPECIFIED):
        return ""
    return f" ({word(FinishReason, completion.finish_reason, 'FINISH_REASON_')})"


def judged(verdict: Verdict) -> str:
    """Return outcome, score and label on one line."""
    score = f" {verdict.score:.3g}" if verdict.outcome in SCORED else ""
    return f"{outcome_word(verdict.outcome)}{score}{verdict.label and f', {verdict.label}'}"


def block(head: str, text: str) -> None:
    """Print a head, and the text under it, set in."""
    click.secho(f"{plain(head)}:", bold=True)
    for line in plain(text).split("\n"):
        click.echo(f"    {line}".rstrip())
