"""The price of a model's tokens."""

from __future__ import annotations

from libra.core.spending import published_price
from libra.v1.model_pb2 import Model, ModelPrice, Provider


def price_of(model: Model) -> ModelPrice | None:
    """Return the registered price, else the published one, else None: a price that is not known is not 0."""
    if model.HasField("price"):
        return model.price
    if model.provider == Provider.PROVIDER_SCRIPTED:
        return ModelPrice(source="a reference model costs nothing")
    return published_price.find(model)
