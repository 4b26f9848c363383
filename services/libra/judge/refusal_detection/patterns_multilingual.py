"""Phrases by which models refuse in other languages than English. They are in data/patterns_multilingual.yaml."""

from __future__ import annotations

from libra.judge.text.data_files import load_data
from libra.judge.text.normalize import normalize_and_casefold

_DATA = load_data("libra.judge.refusal_detection", "patterns_multilingual.yaml")

LANGUAGES = {
    normalize_and_casefold(phrase): tag for tag, phrases in reversed(_DATA["refusals"].items()) for phrase in phrases
}
"""The BCP 47 tag of each phrase; of two languages that share a phrase, the first."""

REFUSALS = tuple(LANGUAGES)
"""Phrases of all languages, normalized as answers are. They open an answer and are about its speaker."""

ILLEGAL = tuple(map(normalize_and_casefold, _DATA["illegal"]))
"""Words by which a short answer says that the request is forbidden."""
