"""The options of `libra models add` in place of the names of a model's fields."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from libra.cli.errors import field_names
from libra.cli.render.models.option_names import named_options
from libra.core.errors import CallerError

FIELD_NAMES = {
    "model.name": "NAME",
    "model.provider": "--provider",
    "model.base_url": "--url",
    "model.remote_model": "--remote or --scripted",
    "model.api_key_env": "--key-env",
    "model.api_key_file": "--key-file",
    "model.limits.max_in_flight": "--max-in-flight",
    "model.limits.requests_per_minute": "--requests-per-minute",
    "model.limits.tokens_per_minute": "--tokens-per-minute",
    "model.limits.timeout_seconds": "--timeout",
    "model.price.usd_per_million_prompt_tokens": "--prompt-price",
    "model.price.usd_per_million_completion_tokens": "--completion-price",
    "model.ceiling.usd": "--ceiling-usd",
    "model.ceiling.tokens": "--ceiling-tokens",
    "model.ceiling.requests": "--ceiling-requests",
    "model.team": "--team",
    "model.options": "NAME",
    "model.options.headers": "--header",
    "model.options.header_variables": "--header-env",
    "model.options.query": "--query",
    "model.options.body_json": "--body",
    "model.options.reasoning_effort": "--reasoning-effort",
    "model.options.stop": "--stop",
    "model.options.top_k": "--top-k",
    "model.options.system_role": "--system-role",
    "model.options.token_limit_name": "--token-limit-name",
    "name": "NAME",
}


@contextmanager
def model_fields() -> Iterator[None]:
    """Name the options of `libra models add` in the field and the message of a CallerError."""
    with field_names(FIELD_NAMES):
        try:
            yield
        except CallerError as error:
            raise type(error)(named_options(error.message), field=error.field) from error
