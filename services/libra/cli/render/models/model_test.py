"""Prints the test of a model: what was sent, what came back, and what that means."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import click

from libra.cli.render import output
from libra.cli.render.format import enum_name, one_line
from libra.cli.render.models.model import price_text
from libra.cli.render.models.option_names import named_options
from libra.cli.render.sanitize import sanitize
from libra.core.adjustment_text import describe
from libra.v1 import completion_pb2 as pb
from libra.v1.completion_pb2 import Completion, ResponseClass
from libra.v1.gateway_pb2 import Exchange, TestModelResponse
from libra.v1.model_pb2 import ModelPrice

INDENT = "    "
LINE_CHARACTERS = 79
ANSWER_CHARACTERS = 300
SUMMARY_CHARACTERS = 60
UNKNOWN = "unknown"

BLOCKED = "the provider blocked a harmless question; look for a filter in its settings"
PROBLEMS: Mapping[int, str] = {
    pb.RESPONSE_CLASS_BLOCKED_INPUT: BLOCKED,
    pb.RESPONSE_CLASS_BLOCKED_OUTPUT: BLOCKED,
    pb.RESPONSE_CLASS_TOOL_CALLS: "the model called tools and wrote no text; register it without tools",
}
"""Classes of responses without an answer, although the provider reports no error."""


def problem_of(reply: TestModelResponse) -> str:
    """Return why the model gave no answer, with the remedy; empty if it answered."""
    completion = reply.completion
    if completion.error:
        return named_options(completion.error)
    found = completion.response.response_class
    if found in PROBLEMS:
        return f"{PROBLEMS[found]}{_details(completion)}"
    if found == pb.RESPONSE_CLASS_ANSWERED and not completion.text:
        return "the answer is empty; compare --remote with the names of the models at the endpoint"
    return ""


def print_test(reply: TestModelResponse) -> None:
    """Print every exchange, and what came of the test."""
    for number, exchange in enumerate(reply.exchanges, 1):
        _print_exchange(number, exchange)
    completion = reply.completion
    output.print_pairs(
        [
            ("answer", one_line(completion.text, ANSWER_CHARACTERS)),
            ("class", f"{class_name(completion)}{_details(completion)}"),
            *(("learned", describe(each)) for each in reply.adjustments),
            *(_figures(reply) if not completion.error else ()),
        ]
    )
    if completion.response.response_class == pb.RESPONSE_CLASS_TRUNCATED:
        click.echo("The model works: only the test's own limit on tokens cut the answer off.")


def print_summary(name: str, reply: TestModelResponse) -> None:
    """Print in one line that a model answered, and in others what was learned."""
    completion = reply.completion
    text = one_line(completion.text, SUMMARY_CHARACTERS) or class_name(completion)
    click.echo(sanitize(f"{name} answers after {completion.latency_seconds:.1f} s: {text}"))
    for learned in map(describe, reply.adjustments):
        output.print_paragraphs([learned])


def class_name(completion: Completion) -> str:
    """Return the class of a response in words."""
    return enum_name(ResponseClass, completion.response.response_class, "RESPONSE_CLASS_").replace("_", " ")


def _details(completion: Completion) -> str:
    """Return the provider's own category and words in brackets; empty without them."""
    terms = dict.fromkeys((completion.response.category, completion.response.words))
    known = ": ".join(filter(None, terms))
    return f" ({known})" if known else ""


def _figures(reply: TestModelResponse) -> list[tuple[str, str]]:
    completion, price = reply.completion, reply.price if reply.HasField("price") else None
    usage = completion.usage
    tokens = f"{usage.prompt_tokens:,} prompt, {usage.completion_tokens:,} answer"
    return [
        ("latency", f"{completion.latency_seconds:.2f} s"),
        ("tokens", f"{UNKNOWN}: the provider counts none" if completion.usage_unknown else tokens),
        ("price", price_text(price)),
        ("cost", _cost(completion, price)),
    ]


def _cost(completion: Completion, price: ModelPrice | None) -> str:
    is_free = price is not None and not (price.usd_per_million_prompt_tokens or price.usd_per_million_completion_tokens)
    if price is None or (completion.usage_unknown and not is_free):
        return UNKNOWN
    return f"${completion.cost_usd:.6f}" if completion.cost_usd else "$0"


def _print_exchange(number: int, exchange: Exchange) -> None:
    click.secho(f"request {number}: {sanitize(exchange.request_line)}", bold=True)
    for name, value in sorted(exchange.request_headers.items()):
        _print_text(f"{name}: {value}")
    _print_text(exchange.request_body)
    came = f"{exchange.status}" if exchange.status else "none"
    click.secho(f"response {number}: {came} after {exchange.seconds:.2f} s", bold=True)
    _print_text(exchange.response_body)
    click.echo()


def _print_text(text: str) -> None:
    """Print a text indented, folded where it is longer than a line."""
    for line in sanitize(text).strip().splitlines():
        for part in textwrap.wrap(line, LINE_CHARACTERS - len(INDENT), break_on_hyphens=False) or [""]:
            click.echo(f"{INDENT}{part}".rstrip())
