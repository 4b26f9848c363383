"""Prints registered models."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import click

from libra.cli.render import output
from libra.cli.render.format import ABSENT, enum_name, utc_time
from libra.cli.render.models.model_health import UNUSABLE, is_parked, last_error, state_sentence, state_word
from libra.cli.render.models.option_names import named_options
from libra.cli.render.sanitize import sanitize
from libra.core.adjustment_text import describe
from libra.core.spending.budget_ledger import amount
from libra.core.spending.daily_ceiling import ceiling_of, has_ceiling, spending_text
from libra.v1.gateway_pb2 import ModelStatus
from libra.v1.model_pb2 import Model, ModelPrice, Provider, RequestOptions, SystemRole

HEADS = ("model", "provider", "state", "last answer")
INDENT = "    "
LINE_CHARACTERS = 79
COLUMN_CHARACTERS = 30
"""A longer name moves the rest of its own line only."""

NOT_YET = "not yet"
UNKNOWN_PRICE = "unknown; `libra models add` takes --prompt-price and --completion-price"


def print_models(statuses: Sequence[ModelStatus]) -> None:
    """Print each model on a line, and below it its URL and its name there, whole, and its problem."""
    if not statuses:
        click.echo("no model is registered; `libra models add` registers one")
        return
    rows = [tuple(map(sanitize, _cells(status))) for status in statuses]
    widths = [min(max(map(len, column)), COLUMN_CHARACTERS) for column in zip(HEADS, *rows, strict=True)]
    click.secho(_line(HEADS, widths), bold=True)
    for status, row in zip(statuses, rows, strict=True):
        click.echo(_line(row, widths))
        today = spent_today(status)
        for text in (_endpoint(status.model), today and f"today: {today}", problem_of(status)):
            if text:
                click.echo(_indented(text))


def print_model(model: Model, status: ModelStatus | None) -> None:
    """Print a model, one line for each field that is set."""
    limits = [f"{value:g} {field.name.replace('_', ' ')}" for field, value in model.limits.ListFields()]
    output.print_pairs(
        [
            ("model", model.name),
            ("team", model.team),
            ("provider", provider_name(model)),
            ("endpoint", model.base_url),
            ("remote name", model.remote_model or model.name),
            ("API key", _key_place(model)),
            *_option_pairs(model.options),
            ("limits", ", ".join(limits)),
            ("ceiling", ceiling_text(model)),
            ("price", price_text(_price(model, status))),
            ("registered", utc_time(model.create_time, "minute")),
            *(_status_pairs(status) if status else ()),
        ]
    )


def provider_name(model: Model) -> str:
    """Return the provider as `libra models add --provider` takes it."""
    return enum_name(Provider, model.provider, "PROVIDER_").replace("_", "-")


def ceiling_text(model: Model) -> str:
    """Return the ceiling per UTC day; empty without one."""
    limit = ceiling_of(model)
    return f"{spending_text(limit, limit, with_limit=False)} per UTC day" if has_ceiling(model) else ""


def spent_today(status: ModelStatus) -> str:
    """Return what was spent today of the ceiling, for instance "$1.20 of $5.00"; empty without a ceiling."""
    if not has_ceiling(status.model):
        return ""
    spent, reserved = status.health.spent_today, status.health.reserved_today
    settled = amount(spent.usd, spent.tokens, spent.requests)
    in_flight = amount(reserved.usd, reserved.tokens, reserved.requests)
    limit = ceiling_of(status.model)
    text = spending_text(settled, limit)
    return (
        f"{text}, at most {spending_text(in_flight, limit, with_limit=False)} in flight" if reserved.requests else text
    )


def price_text(price: ModelPrice | None) -> str:
    """Return a price with its source; a price that is not known is not 0."""
    if price is None:
        return UNKNOWN_PRICE
    prompt, completion = price.usd_per_million_prompt_tokens, price.usd_per_million_completion_tokens
    text = (
        f"${prompt:g} prompt, ${completion:g} answer per million tokens" if prompt or completion else "free of charge"
    )
    return f"{text} ({price.source})" if price.source else text


def problem_of(status: ModelStatus) -> str:
    """Return why the model cannot be used now, or its last error."""
    text = state_sentence(status.health) if is_parked(status.health) else status.problem or last_error(status.health)
    return named_options(text)


def state_name(status: ModelStatus) -> str:
    """Return the state of a model in one word."""
    return UNUSABLE if status.problem and not is_parked(status.health) else state_word(status.health)


def last_answer(status: ModelStatus) -> str:
    """Return when a model was last reached."""
    if status.model.provider == Provider.PROVIDER_SCRIPTED:
        return ABSENT
    return utc_time(status.health.answer_time, "minute") if status.health.HasField("answer_time") else NOT_YET


def _indented(text: str) -> str:
    """Return a text in indented lines, with URLs and names whole."""
    lines = textwrap.wrap(sanitize(text), LINE_CHARACTERS - len(INDENT), break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"{INDENT}{line}" for line in lines)


def _cells(status: ModelStatus) -> tuple[str, ...]:
    return (status.model.name, provider_name(status.model), state_name(status), last_answer(status))


def _endpoint(model: Model) -> str:
    """Return the URL and the name of the model there, if that is another; of a reference model, its rule."""
    remote = model.remote_model if model.remote_model != model.name else ""
    return " ".join(filter(None, (model.base_url, remote)))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _price(model: Model, status: ModelStatus | None) -> ModelPrice | None:
    if status and status.HasField("price"):
        return status.price
    return model.price if model.HasField("price") else None


def _key_place(model: Model) -> str:
    if model.api_key_file:
        return f"in the file {model.api_key_file} of the gateway's key folder"
    return model.api_key_env and f"in the gateway's variable {model.api_key_env}"


def _option_pairs(options: RequestOptions) -> list[tuple[str, str]]:
    """Return what is sent with every request; keys are named by their variables."""
    role = enum_name(SystemRole, options.system_role, "SYSTEM_ROLE_") if options.system_role else ""
    return [
        ("headers", ", ".join(f"{name}: {value}" for name, value in sorted(options.headers.items()))),
        ("key headers", ", ".join(f"{name} from {value}" for name, value in sorted(options.header_variables.items()))),
        ("query", ", ".join(f"{name}={value}" for name, value in sorted(options.query.items()))),
        ("extra body", options.body_json),
        ("reasoning", options.reasoning_effort),
        ("stop", ", ".join(map(repr, options.stop))),
        ("top k", f"{options.top_k}" if options.top_k else ""),
        ("system role", role),
        ("token limit", options.token_limit_name),
    ]


def _status_pairs(status: ModelStatus) -> list[tuple[str, str]]:
    return [
        ("state", state_name(status)),
        ("problem", problem_of(status)),
        ("spent today", spent_today(status)),
        ("last answer", last_answer(status)),
        *(("learned", describe(each)) for each in status.adjustments),
    ]
