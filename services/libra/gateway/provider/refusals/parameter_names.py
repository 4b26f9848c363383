"""The names that endpoints use for Libra's parameters, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass

JSON_SCHEMA = "json_schema"
MAX_TOKENS = "max_tokens"
SYSTEM = "system"
ALTERNATION = "alternation"

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p topP top-p",
    "top_k": "top_k topK top-k",
    "seed": "seed random_seed randomSeed",
    "stop": "stop stop_sequences stopSequences stop_sequence stop-sequences",
    JSON_SCHEMA: (
        "controlled-generation response-mime-type"
        " response_format responseFormat response-format json_schema json-schema json_object json-object json-mode"
        " guided_json guided-decoding structured-output structured-outputs structured_outputs grammar"
        " responseSchema response_schema responseJsonSchema response_json_schema responseMimeType response_mime_type"
        " output_format outputFormat output_config.format text.format"
    ),
    "reasoning_effort": (
        "reasoning_effort reasoningEffort reasoning-effort reasoning.effort reasoning effort thinking think"
        " thinking_config thinkingConfig thinkingLevel thinking_level thinkingBudget thinking_budget"
        " output_config.effort"
    ),
    MAX_TOKENS: (
        "max_tokens max_completion_tokens max_output_tokens max_new_tokens maxTokens maxOutputTokens"
        " maxCompletionTokens max_tokens_to_sample num_predict n_predict"
    ),
}
"""The names of each parameter. In a sentence, "-" may be a space."""

PARAMETERS = {name.lower(): parameter for parameter, names in _NAMES.items() for name in names.split()}
"""The parameter of each name, in small letters."""

TOKEN_LIMIT_NAMES = frozenset(_NAMES[MAX_TOKENS].split())


def _pattern_of(name: str) -> str:
    return re.escape(name).replace(r"\-", r"[-\ ]")


NAME = re.compile(
    rf"(?<![\w-])(?:{'|'.join(_pattern_of(name) for name in sorted(PARAMETERS, key=len, reverse=True))})(?![\w-])",
    re.IGNORECASE,
)
"""Any of the names, as a whole word."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A parameter in a sentence."""

    parameter: str
    name: str
    """As the endpoint spells it."""

    start: int
    end: int


def mentions(text: str) -> list[Mention]:
    """Return every parameter that a text names, in order."""
    return [
        Mention(PARAMETERS[found[0].lower().replace(" ", "-")], found[0], found.start(), found.end())
        for found in NAME.finditer(text)
    ]
