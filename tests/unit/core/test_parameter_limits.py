"""The generation parameters of a request have limits, and NaN and infinity are within none of them."""

from __future__ import annotations

import math

import pytest

from libra.core.errors import Invalid
from libra.core.parameter_limits import check_parameters
from libra.dispatch.models.validation import check_model
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.model_pb2 import Model, ModelLimits, ModelPrice, Provider

NOT_FINITE = [math.nan, -math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("name", ["temperature", "top_p"])
def test_a_parameter_that_is_no_finite_number_is_refused(name: str, value: float) -> None:
    parameters = GenerationParameters()
    setattr(parameters, name, value)
    with pytest.raises(Invalid) as caught:
        check_parameters(parameters, field="spec.parameters")
    assert caught.value.field == f"spec.parameters.{name}"


@pytest.mark.parametrize("value", NOT_FINITE)
def test_a_limit_or_a_price_that_is_no_finite_number_is_refused(value: float) -> None:
    limits = {"limits": ModelLimits(timeout_seconds=value)}
    prices = {"price": ModelPrice(usd_per_million_prompt_tokens=value)}
    for fields in (limits, prices):
        model = Model(name="one", provider=Provider.PROVIDER_SCRIPTED, remote_model="complier", **fields)
        with pytest.raises(Invalid, match="must be 0 or more"):
            check_model(model)
