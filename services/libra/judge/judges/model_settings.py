"""The options of judges that ask a model: its limit of tokens, its temperature and how long it reasons."""

from __future__ import annotations

from collections.abc import Mapping

from libra.judge.judge_models.score_reply import finite_number
from libra.judge.judge_type import DEFAULT_SETTINGS, JudgeModelSettings
from libra.judge.options import JudgeOption

MAX_TOKENS_LIMIT = 131_072
MAX_TEMPERATURE = 2.0


def _tokens_error(value: str) -> str:
    is_valid = value.isascii() and value.isdigit() and 1 <= int(value[:7]) <= MAX_TOKENS_LIMIT
    return "" if is_valid else f"is {value!r}; give a number from 1 to {MAX_TOKENS_LIMIT:,}"


def _temperature_error(value: str) -> str:
    number = finite_number(value)
    is_valid = number is not None and 0 <= number <= MAX_TEMPERATURE
    return "" if is_valid else f"is {value!r}; give a number from 0 to {MAX_TEMPERATURE:g}"


SETTINGS_OPTIONS = (
    JudgeOption(
        "max_tokens",
        f"The limit of tokens of the judge model's reply, {DEFAULT_SETTINGS.max_tokens} if not given. A model that "
        "reasons needs more.",
        validate=_tokens_error,
    ),
    JudgeOption("temperature", "The judge model's temperature, 0 if not given.", validate=_temperature_error),
    JudgeOption(
        "reasoning_effort",
        "How long the judge model reasons, in its provider's words, for instance low; as it is registered if not "
        "given.",
    ),
)


def settings_from(options: Mapping[str, str]) -> JudgeModelSettings:
    """Return the settings that valid options describe."""
    return JudgeModelSettings(
        max_tokens=int(options.get("max_tokens") or DEFAULT_SETTINGS.max_tokens),
        temperature=float(options.get("temperature") or DEFAULT_SETTINGS.temperature),
        reasoning_effort=options.get("reasoning_effort", "").strip(),
    )
