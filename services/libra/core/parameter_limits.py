"""Limits of the generation parameters, the same for every provider."""

from __future__ import annotations

from libra.core.errors import Invalid
from libra.v1.completion_pb2 import GenerationParameters

MAX_TOKENS = 131_072
DEFAULT_MAX_TOKENS = 512
MAX_TEMPERATURE = 2.0


def check_parameters(parameters: GenerationParameters, *, field: str) -> None:
    """Raise Invalid if a number is out of its range; `field` is the path of the parameters in the request."""
    # A comparison with NaN is false, so NaN is out of every range.
    if parameters.HasField("temperature") and not 0 <= parameters.temperature <= MAX_TEMPERATURE:
        raise Invalid(
            f"temperature must be from 0 to {MAX_TEMPERATURE:g}, not {parameters.temperature:g}",
            field=f"{field}.temperature",
        )
    if parameters.HasField("top_p") and not 0 < parameters.top_p <= 1:
        raise Invalid(f"top_p must be above 0 and at most 1, not {parameters.top_p:g}", field=f"{field}.top_p")
    if not 0 <= parameters.max_tokens <= MAX_TOKENS:
        raise Invalid(
            f"max_tokens must be from 0 (the default) to {MAX_TOKENS}, not {parameters.max_tokens}",
            field=f"{field}.max_tokens",
        )
