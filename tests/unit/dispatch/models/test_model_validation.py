from __future__ import annotations

from typing import Any

import pytest

from libra.core.errors import Invalid
from libra.dispatch.models.validation import check_model
from libra.v1.model_pb2 import Model, ModelLimits, ModelPrice, Provider

VALID: dict[str, Any] = {
    "name": "gpt-4o",
    "provider": Provider.PROVIDER_OPENAI,
    "base_url": "https://api.example.com/v1",
    "api_key_env": "EXAMPLE_API_KEY",
}


def test_a_valid_entry_is_accepted() -> None:
    check_model(
        Model(**VALID, limits=ModelLimits(max_in_flight=500), price=ModelPrice(usd_per_million_prompt_tokens=2.5))
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "model.name"),
        ({"name": "a/b"}, "model.name"),
        ({"name": "a" * 65}, "model.name"),
        ({"provider": Provider.PROVIDER_UNSPECIFIED}, "model.provider"),
        ({"base_url": ""}, "model.base_url"),
        ({"base_url": "ftp://example.com"}, "model.base_url"),
        ({"base_url": "https://user:secret@example.com/v1"}, "model.base_url"),
        ({"base_url": "https://example.com/v1?key=secret"}, "model.base_url"),
        ({"api_key_env": "sk-abcdef"}, "model.api_key_env"),
        ({"limits": ModelLimits(max_in_flight=-1)}, "model.limits.max_in_flight"),
        ({"limits": ModelLimits(timeout_seconds=float("nan"))}, "model.limits.timeout_seconds"),
        ({"price": ModelPrice(usd_per_million_prompt_tokens=-1)}, "model.price.usd_per_million_prompt_tokens"),
    ],
)
def test_an_error_names_the_field_at_fault(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_model(Model(**{**VALID, **changes}))
    assert caught.value.field == field
    assert "secret" not in caught.value.message
    assert "sk-" not in caught.value.message
