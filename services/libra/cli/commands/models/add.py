"""`libra models add`: register a model, and test it."""

from __future__ import annotations

from typing import Any

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.models.test_model import ask
from libra.cli.errors import CommandError, message_of
from libra.cli.exit_codes import NEEDS_ATTENTION, exit_code_of
from libra.cli.model_entry import PROVIDERS, SYSTEM_ROLES, model_entry
from libra.cli.model_fields import model_fields
from libra.cli.option_groups import GroupedCommand, under
from libra.cli.param_types import COUNT, INT64
from libra.cli.render import output
from libra.cli.render.models.model_test import print_summary, problem_of
from libra.core.errors import LibraError
from libra.v1.model_pb2 import CreateModelRequest, Model
from libra.v1.model_pb2_grpc import ModelServiceStub

NOT_NEGATIVE = click.FloatRange(0)


def text(metavar: str, description: str) -> dict[str, Any]:
    """Return the attributes of an option that takes a text."""
    return {"default": "", "metavar": metavar, "help": description}


def count(description: str) -> dict[str, Any]:
    """Return the attributes of an option that takes a whole number; 0 is its default."""
    return {"type": COUNT, "default": 0, "metavar": "N", "help": description}


def repeated(metavar: str, description: str) -> dict[str, Any]:
    """Return the attributes of an option that may be given several times."""
    return {"multiple": True, "metavar": metavar, "help": f"{description} Repeatable."}


def choice(values: Any, description: str) -> dict[str, Any]:
    """Return the attributes of an option with these values, which the help lists."""
    listed = ", ".join(values).replace("openai,", "openai (default),", 1)
    return {"type": click.Choice(list(values)), "metavar": "WORD", "help": f"{description}: {listed}."}


def dollars_per_million(metavar: str, description: str) -> dict[str, Any]:
    """Return the attributes of an option that takes a price."""
    return {"type": NOT_NEGATIVE, "metavar": metavar, "help": f"US dollars per million {description} tokens."}


def ceiling(kind: Any, metavar: str, measure: str) -> dict[str, Any]:
    """Return the attributes of an option that takes a ceiling per day."""
    return {"type": kind, "metavar": metavar, "help": f"The most {measure} in one UTC day, of all runs together."}


ENDPOINT = (
    ("--preset", text("NAME", "A provider or server; `libra models presets` lists them.")),
    ("--url", text("URL", "The base URL of the endpoint, up to its version: /v1.")),
    ("--provider", choice(PROVIDERS, "The API")),
    ("--remote", text("MODEL", "The name of the model at the endpoint.  [default: NAME]")),
    ("--scripted", text("RULE", "A reference model in place of an endpoint, such as careful.")),
    ("--team", text("TEAM", "The team that owns the model.  [default: yours]")),
)
KEYS = (
    ("--key-env", text("VARIABLE", "The environment variable of the gateway with the key.")),
    ("--key-file", text("FILE", "The file in the gateway's key folder with the key.")),
    ("--header-env", repeated("NAME=VARIABLE", "A header with a key from a variable.")),
)
REQUESTS = (
    ("--header", repeated("NAME=VALUE", "An extra header.")),
    ("--query", repeated("NAME=VALUE", "A query parameter of the URL.")),
    ("--body", text("JSON", "Extra fields of the body, a JSON object.")),
    ("--reasoning-effort", text("WORD", "How long the model reasons, in the provider's words.")),
    ("--stop", repeated("TEXT", "A text that ends the answer.")),
    ("--top-k", count("Sample from the N most likely tokens.")),
    ("--system-role", choice(SYSTEM_ROLES, "How system turns are sent")),
    ("--token-limit-name", text("NAME", "The parameter that limits the answer's tokens.")),
)
CEILING = (
    ("--ceiling-usd", ceiling(click.FloatRange(0), "USD", "US dollars")),
    ("--ceiling-tokens", ceiling(INT64, "N", "tokens of prompts and answers")),
    ("--ceiling-requests", ceiling(INT64, "N", "requests")),
)
LIMITS = (
    ("--max-in-flight", count("Maximum number of concurrent requests.  [default: 8]")),
    ("--requests-per-minute", count("Maximum number of requests per minute.")),
    ("--tokens-per-minute", count("Maximum number of tokens per minute, in and out.")),
    (
        "--timeout timeout_seconds",
        {
            "type": NOT_NEGATIVE,
            "default": 0.0,
            "metavar": "SECONDS",
            "help": "Time limit of one request.  [default: 120]",
        },
    ),
    *CEILING,
    ("--prompt-price usd_per_million_prompt_tokens", dollars_per_million("USD", "prompt")),
    ("--completion-price usd_per_million_completion_tokens", dollars_per_million("USD", "answer")),
)


@click.command(cls=GroupedCommand)
@click.argument("name")
@under("Endpoint", *ENDPOINT)
@under("API keys, which are never stored", *KEYS)
@under("What is sent", *REQUESTS)
@under("Limits and prices", *LIMITS)
@click.option("--no-test", is_flag=True, help="Register the model without testing it.")
@output.json_option
@with_client
async def add(client: ServiceClient, /, name: str, *, as_json: bool, no_test: bool, **options: Any) -> None:
    """Register a model as NAME, and ask it one question.

    \b
    libra models add mine --url http://localhost:8000/v1
    libra models add gpt --preset openai --remote gpt-4o-mini
    libra models add big --url https://api.example.com/v1 --remote big-2 \\
      --key-env EXAMPLE_API_KEY

    If the model does not answer, it stays registered, and the exit code is 1. `libra models update` changes limits
    and ceilings. Nothing else of a registered model can be changed, because verdicts refer to its name: remove it
    first, or register the changed model as another name.
    """  # noqa: D301 - click reads the \b
    model = model_entry(name, options)
    with model_fields():
        reply = await client.call(ModelServiceStub, "CreateModel", CreateModelRequest(model=model))
    if as_json:
        output.print_json(reply)
    else:
        click.echo(f"{name} is registered{_stored_url(reply.model, options['url'])}.")
    if not no_test:
        await _test(client, name, is_quiet=as_json)
    if not as_json:
        click.echo(f"`libra run create --model {name} --task '*' --watch` evaluates it.")


def _stored_url(stored: Model, given: str) -> str:
    """Return the URL if it is stored in another form than it was given, or is that of a preset."""
    return f" with the URL {stored.base_url}" if stored.base_url != given else ""


async def _test(client: ServiceClient, name: str, *, is_quiet: bool) -> None:
    """Test a model that was just registered. Raises CommandError."""
    if output.stderr_is_terminal():
        output.print_note("It is asked one question now; that takes 10 seconds at most.")
    try:
        reply = await ask(client, name)
    except LibraError as error:
        raise CommandError(
            f"{name} is registered, but could not be tested: {message_of(error)}", exit_code_of(error)
        ) from error
    if problem := problem_of(reply):
        raise CommandError(
            f"{name} is registered, but the test failed: {problem}\n"
            f"`libra models test {name}` tests it again and shows what was sent. To change the entry, first run "
            f"`libra models remove {name}`.",
            NEEDS_ATTENTION,
        )
    if not is_quiet:
        print_summary(name, reply)
