"""Validate the request options of a model's entry, except headers."""

from __future__ import annotations

import re

import orjson

from libra.core.errors import Invalid
from libra.v1.model_pb2 import Model, Provider, RequestOptions, SystemRole

FIELD = "model.options"
MAX_QUERY, MAX_QUERY_CHARACTERS = 32, 2048
MAX_BODY_BYTES = 16 * 1024
MAX_STOPS, MAX_STOP_CHARACTERS = 16, 256
MAX_REMOTE_CHARACTERS = 512
"""The resource names of Amazon are the longest names of models."""

EFFORT = re.compile(r"[A-Za-z0-9._-]{1,64}")
PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}")

KEY_NAMES = frozenset(
    {"accesstoken", "apikey", "authorization", "key", "password", "secret", "subscriptionkey", "token"}
)
"""Query parameters that hold keys, in small letters and without separators. URLs are shown and logged."""

CONVERSATION_NAMES = frozenset(
    {"contents", "input", "instructions", "messages", "prompt", "system", "system_instruction", "systemInstruction"}
)
"""Fields in which the APIs have the conversation."""

OPENAI_APIS = frozenset({Provider.PROVIDER_OPENAI, Provider.PROVIDER_OPENAI_RESPONSES, Provider.PROVIDER_AZURE_OPENAI})


def check_options(model: Model) -> None:
    """Raise Invalid naming the first option at fault."""
    options = model.options
    if model.provider == Provider.PROVIDER_SCRIPTED and options.ListFields():
        raise Invalid("a reference model takes no options: nothing is sent for it", field=FIELD)
    check_remote_model(model.remote_model)
    check_query(options)
    check_body(options.body_json)
    check_stops(options)
    check_words(options)
    check_system_role(model)


def check_remote_model(name: str) -> None:
    """Raise Invalid if the endpoint's name for a model is too long, or has characters that no name has."""
    if len(name) > MAX_REMOTE_CHARACTERS or not name.isprintable() or name != name.strip():
        raise Invalid(
            f"it must have at most {MAX_REMOTE_CHARACTERS} printable characters, without spaces at its ends",
            field="model.remote_model",
        )


def check_query(options: RequestOptions) -> None:
    """Raise Invalid for too many or too long query parameters, and for one that holds a key."""
    field = f"{FIELD}.query"
    if len(options.query) > MAX_QUERY:
        raise Invalid(f"at most {MAX_QUERY} parameters, not {len(options.query)}", field=field)
    for name, value in options.query.items():
        if not name or not f"{name}{value}".isprintable() or len(name) + len(value) > MAX_QUERY_CHARACTERS:
            raise Invalid(
                f"a parameter needs a name, and at most {MAX_QUERY_CHARACTERS:,} printable characters", field=field
            )
        if re.sub(r"[^a-z]", "", name.lower()) in KEY_NAMES:
            # The message does not show the value.
            raise Invalid(
                f"{name!r} holds a key, and URLs are logged: name the key's variable in api_key_env, or send it in a "
                "header of header_variables",
                field=field,
            )


def check_body(text: str) -> None:
    """Raise Invalid unless the extra body is empty, or a JSON object that leaves the conversation alone."""
    field = f"{FIELD}.body_json"
    if not text:
        return
    if len(text.encode()) > MAX_BODY_BYTES:
        raise Invalid(f"it has more than {MAX_BODY_BYTES // 1024} KiB", field=field)
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(f'it is not JSON ({error}); write for instance {{"reasoning": true}}', field=field) from None
    if not isinstance(body, dict):
        raise Invalid('it must be a JSON object, for instance {"reasoning": true}', field=field)
    if replaced := sorted(body.keys() & CONVERSATION_NAMES):
        raise Invalid(f"{', '.join(replaced)} would replace the conversation; leave it out", field=field)
    if "model" in body:
        raise Invalid("the model is named in remote_model; leave it out", field=field)


def check_stops(options: RequestOptions) -> None:
    """Raise Invalid for too many, empty or too long stop texts."""
    field = f"{FIELD}.stop"
    if len(options.stop) > MAX_STOPS:
        raise Invalid(f"at most {MAX_STOPS} texts, not {len(options.stop)}", field=field)
    if not all(0 < len(text) <= MAX_STOP_CHARACTERS for text in options.stop):
        raise Invalid(f"each text has 1 to {MAX_STOP_CHARACTERS} characters", field=field)


def check_words(options: RequestOptions) -> None:
    """Raise Invalid for a reasoning effort, a top_k or a name of the token limit that no endpoint has."""
    if options.reasoning_effort and not EFFORT.fullmatch(options.reasoning_effort):
        raise Invalid("it must be one word of the provider, such as low", field=f"{FIELD}.reasoning_effort")
    if options.top_k < 0:
        raise Invalid(f"it must be 0 (not sent) or more, not {options.top_k}", field=f"{FIELD}.top_k")
    if options.token_limit_name and not PARAMETER_NAME.fullmatch(options.token_limit_name):
        raise Invalid(
            "it must be the name of a parameter, such as max_completion_tokens", field=f"{FIELD}.token_limit_name"
        )


def check_system_role(model: Model) -> None:
    """Raise Invalid for an unknown policy, or one that the API does not have."""
    role = model.options.system_role
    field = f"{FIELD}.system_role"
    if role not in SystemRole.values():
        raise Invalid(f"{role} is no policy; use system, merged or developer", field=field)
    if role == SystemRole.SYSTEM_ROLE_DEVELOPER and model.provider not in OPENAI_APIS:
        raise Invalid("only the APIs of OpenAI have the role developer; use system or merged", field=field)
