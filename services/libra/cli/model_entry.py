"""Builds a model's entry from the options of `libra models add`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from libra.cli.model_presets import PRESETS, Preset
from libra.cli.param_types import parse_pairs
from libra.core.errors import NotFound
from libra.v1.model_pb2 import DailyAmount, Model, ModelLimits, ModelPrice, Provider, RequestOptions, SystemRole

PROVIDERS = {
    name.removeprefix("PROVIDER_").lower().replace("_", "-"): number
    for name, number in Provider.items()
    if number not in (Provider.PROVIDER_UNSPECIFIED, Provider.PROVIDER_SCRIPTED)
}
SYSTEM_ROLES = {name.removeprefix("SYSTEM_ROLE_").lower(): number for name, number in SystemRole.items() if number}
EXAMPLES = {"--header": "X-Team=red", "--header-env": "X-Key=TEAM_KEY", "--query": "api-version=2026-01-01"}
CEILINGS = tuple(field.name for field in DailyAmount.DESCRIPTOR.fields)
PRICES = tuple(field.name for field in ModelPrice.DESCRIPTOR.fields if field.name != "source")


def model_entry(name: str, options: Mapping[str, Any]) -> Model:
    """Return the entry; an option has priority over the preset. Raises UsageError, NotFound and Invalid."""
    preset = find_preset(options["preset"])
    if bool(options["scripted"]) == bool(options["url"] or preset):
        raise click.UsageError("give --url, --preset or --scripted")
    if options["scripted"]:
        model = Model(name=name, provider=Provider.PROVIDER_SCRIPTED, remote_model=options["scripted"])
    else:
        model = _endpoint(name, options, preset)
    model.team = options["team"]
    model.limits.CopyFrom(ModelLimits(**{field.name: options[field.name] for field in ModelLimits.DESCRIPTOR.fields}))
    if amounts := {field: options[f"ceiling_{field}"] for field in CEILINGS if options[f"ceiling_{field}"] is not None}:
        model.ceiling.CopyFrom(DailyAmount(**amounts))
    model.options.CopyFrom(_request_options(options, preset))
    price = {field: options[field] for field in PRICES if options[field] is not None}
    if price or (preset and preset.is_free):
        model.price.CopyFrom(ModelPrice(**price))
    return model


def find_preset(name: str) -> Preset | None:
    """Return a preset by its name; None for an empty name. Raises NotFound with the nearest names."""
    if not name:
        return None
    if name not in PRESETS:
        error = NotFound.named("preset", name, list(PRESETS), field="--preset")
        raise NotFound(f"{error}; `libra models presets` lists them", field=error.field)
    return PRESETS[name]


def _endpoint(name: str, options: Mapping[str, Any], preset: Preset | None) -> Model:
    if preset and preset.needs_url and not options["url"]:
        raise click.UsageError(f"--preset {preset.name} needs --url, in the form {preset.url}")
    has_key = options["key_env"] or options["key_file"]
    usual = preset.provider if preset else Provider.PROVIDER_OPENAI
    return Model(
        name=name,
        provider=PROVIDERS[options["provider"]] if options["provider"] else usual,
        base_url=options["url"] or (preset.url if preset else ""),
        remote_model=options["remote"],
        api_key_env=options["key_env"] or (preset.key_variable if preset and not has_key else ""),
        api_key_file=options["key_file"],
    )


def _request_options(options: Mapping[str, Any], preset: Preset | None) -> RequestOptions:
    headers, variables, query = (
        parse_pairs(options[option.removeprefix("--").replace("-", "_")], option=option, example=example)
        for option, example in EXAMPLES.items()
    )
    return RequestOptions(
        headers=headers,
        header_variables=variables,
        query=query,
        body_json=options["body"],
        reasoning_effort=options["reasoning_effort"],
        stop=options["stop"],
        top_k=options["top_k"],
        system_role=SYSTEM_ROLES.get(options["system_role"] or "", SystemRole.SYSTEM_ROLE_UNSPECIFIED),
        token_limit_name=options["token_limit_name"] or (preset.token_limit_name if preset else ""),
    )
