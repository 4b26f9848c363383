"""Changes the limits and the ceiling of a registered model while it is used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from libra.core.errors import Invalid
from libra.core.spending.daily_ceiling import ceiling_of, ledger_id
from libra.dispatch.models.validation import check_ceiling, check_numbers
from libra.store.client import Store
from libra.v1.model_pb2 import Model, ModelLimits, UpdateModelRequest

CEILING = "ceiling"
"""The cause for which gateways park a model that has reached its ceiling."""

LIMITS = frozenset(field.name for field in ModelLimits.DESCRIPTOR.fields)


def changed_numbers(request: UpdateModelRequest) -> Mapping[str, float]:
    """Return the numbers that a request sets, by their paths in the model. Raises Invalid if it sets none."""
    numbers = {_path(field.name): value for field, value in request.ListFields() if field.name != "name"}
    if not numbers:
        raise Invalid("set at least one limit or ceiling", field="name")
    return numbers


def check_change(model: Model, numbers: Mapping[str, float]) -> None:
    """Raise Invalid naming the first field at fault of the model after the change."""
    changed = Model()
    changed.CopyFrom(model)
    for path, number in numbers.items():
        group, _, field = path.partition(".")
        setattr(getattr(changed, group), field, number)
    check_numbers(changed)
    check_ceiling(changed)


async def keep_ceiling(store: Store, model: Model) -> None:
    """Apply the ceiling of a model to today's ledger, and let the model be asked again if the old one had parked it."""
    await store.ceilings.set_limit(ledger_id(model.name, datetime.now(UTC)), ceiling_of(model))
    parked = (await store.parked_models.list()).get(model.name)
    if parked is not None and parked.cause == CEILING:
        await store.parked_models.unpark(model.name)


def _path(field: str) -> str:
    return f"limits.{field}" if field in LIMITS else field.replace("ceiling_", "ceiling.")
