"""Published prices, from the data of the package genai-prices. It is installed with Libra: nothing is requested.

The package is loaded when the first model of a public provider has no registered price, which takes about 0.3 s and 20
MB. A price is the provider's standard one for short prompts, without discounts for cached prompts and batches.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from libra.v1.model_pb2 import Model, ModelPrice, Provider

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot

PACKAGE = "genai-prices"
RELEASE_DATES = {"0.2.3": "2026-11-10"}
"""Publication dates of the known versions of the package, which the package itself does not contain."""

PROVIDERS: Mapping[int, str] = {Provider.PROVIDER_BEDROCK: "aws", Provider.PROVIDER_AZURE_OPENAI: "azure"}
"""APIs that only one provider serves, also behind a URL of one's own, by the package's names."""


def find(model: Model) -> ModelPrice | None:
    """Return the published price of the model at its URL; None if none is known.

    A server on this machine or in a private network has none: it may be one's own, or a proxy to a paid provider.
    """
    if model.provider not in PROVIDERS and not _is_public(model.base_url):
        return None
    snapshot, source = _load()
    name = model.remote_model or model.name
    for where in ({"provider_api_url": model.base_url}, {"provider_id": PROVIDERS.get(model.provider)}):
        if price := _look_up(snapshot, name, where):
            return ModelPrice(
                usd_per_million_prompt_tokens=price[0], usd_per_million_completion_tokens=price[1], source=source
            )
    return None


@cache
def _load() -> tuple[DataSnapshot, str]:
    """Return the data, and its name with its version and date."""
    import genai_prices  # noqa: PLC0415 - see the docstring of the module
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - see the docstring of the module

    version = genai_prices.__version__
    return get_snapshot(), ", ".join(filter(None, (f"{PACKAGE} {version}", RELEASE_DATES.get(version, ""))))


def _look_up(snapshot: DataSnapshot, name: str, where: Mapping[str, str | None]) -> tuple[float, float] | None:
    """Return the prices of a million prompt and answer tokens; None unless both are known."""
    if not any(where.values()):
        return None
    known: dict[str, Any] = {"provider": None, "provider_id": None, "provider_api_url": None, **where}
    try:
        _, found = snapshot.find_provider_model(name, **known)
    except LookupError:
        return None
    prices = found.get_prices(datetime.now(UTC))
    prompt, completion = (_base(getattr(prices, field, None)) for field in ("input_mtok", "output_mtok"))
    return None if prompt is None or completion is None else (prompt, completion)


def _base(price: Any) -> float | None:
    """Return a price, of the lowest tier if it depends on the length of the prompt."""
    price = getattr(price, "base", price)
    return None if price is None else float(price)


def _is_public(url: str) -> bool:
    """Return whether the host of a URL has a public name."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".localhost"))
