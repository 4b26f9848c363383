"""Validate a model's entry, and changes of it."""

from __future__ import annotations

import re

from libra.core.errors import Invalid
from libra.core.spending.budget_ledger import MAX_USD
from libra.core.spending.model_price import price_of
from libra.dispatch.models.keys import check_keys
from libra.dispatch.models.request_option_checks import check_options
from libra.dispatch.models.urls import canonical_url
from libra.v1.model_pb2 import Model, Provider

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PROVIDERS = {
    number: name.removeprefix("PROVIDER_").lower().replace("_", "-") for name, number in Provider.items() if number
}
"""The providers, as users write them."""


def check_model(model: Model) -> None:
    """Raise Invalid naming the first field at fault."""
    if not MODEL_NAME.fullmatch(model.name):
        raise Invalid(
            f"{model.name!r} is not a valid model name: use 1 to 64 letters, digits, "
            f'"_", "-" and ".", and begin with a letter or a digit',
            field="model.name",
        )
    if model.provider not in PROVIDERS:
        raise Invalid(f"name a provider: {', '.join(PROVIDERS.values())}", field="model.provider")
    if model.provider != Provider.PROVIDER_SCRIPTED:
        canonical_url(model.base_url)
    check_keys(model)
    check_options(model)
    check_numbers(model)
    check_ceiling(model)


def check_numbers(model: Model) -> None:
    """Raise Invalid if a limit or a price is negative or not a finite number."""
    if model.price.source:
        raise Invalid("it is set in answers only; leave it out", field="model.price.source")
    for group, message in (("limits", model.limits), ("price", model.price), ("ceiling", model.ceiling)):
        for field, value in message.ListFields():
            if not 0 <= value < float("inf"):
                raise Invalid(f"it must be 0 or more, not {value:g}", field=f"model.{group}.{field.name}")


def check_ceiling(model: Model) -> None:
    """Raise Invalid for a ceiling in dollars that cannot be kept."""
    if model.ceiling.usd > MAX_USD:
        raise Invalid(f"it must be at most {MAX_USD:,.0f}, not {model.ceiling.usd:g}", field="model.ceiling.usd")
    if model.ceiling.usd and price_of(model) is None:
        raise Invalid(
            f"a ceiling in US dollars needs the price of the model, and that of {model.name} is not known; register it "
            "with its price, or set a ceiling in tokens or requests",
            field="model.ceiling.usd",
        )
