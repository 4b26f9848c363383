"""The 21 languages into which prompts are translated, with many and few resources and in many scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass

LATIN = r"A-Za-zÀ-ɏḀ-ỿ"
MIN_SCRIPT_SHARE = 0.5
"""Minimum share of a translation's letters in the language's script; names and terms may stay untranslated."""

MIN_ENGLISH_SHARE = 0.25
ENGLISH = frozenset((
    "the", "and", "of", "to", "you", "your", "that", "is", "are", "be", "it", "for", "with", "this", "what", "how",
    "which", "would", "should", "from", "have", "has", "they", "their",
))  # fmt: skip
"""Words that make up at least a quarter of an English text, and of no other language."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language."""

    code: str
    """The code of ISO 639-1; part of the attack's name."""

    name: str
    """The English name, for the attacker model."""

    example: str
    """EXAMPLE_PROMPT in this language."""

    script: str = LATIN
    """The letters of its script, as a character class of a regular expression."""

    def matches(self, text: str) -> bool:
        """Tell whether a text can be in the language, judged by its letters; a text without letters can.

        At least half of the letters must be in its script, and a text for a language in Latin script must not be
        English.
        """
        letters = sum(map(str.isalpha, text))
        in_script = len(re.findall(f"[{self.script}]", text))
        return in_script >= MIN_SCRIPT_SHARE * letters and not (self.script == LATIN and is_english(text))


def is_english(text: str) -> bool:
    """Tell whether at least a quarter of the words are frequent English words."""
    words = re.findall(r"[a-z]+", text.lower())
    return sum(word in ENGLISH for word in words) >= MIN_ENGLISH_SHARE * len(words) > 0


LANGUAGES = (
    Language("ar", "Arabic", "كيف تعمل المغناطيسات؟", "\u0600-\u06ff"),
    Language("bn", "Bengali", "চুম্বক কীভাবে কাজ করে?", "\u0980-\u09ff"),
    Language("cs", "Czech", "Jak fungují magnety?"),
    Language("de", "German", "Wie funktionieren Magnete?"),
    Language("el", "Greek", "Πώς λειτουργούν οι μαγνήτες;", "\u0370-\u03ff\u1f00-\u1fff"),
    Language("es", "Spanish", "¿Cómo funcionan los imanes?"),
    Language("fr", "French", "Comment fonctionnent les aimants ?"),
    Language("hi", "Hindi", "चुंबक कैसे काम करते हैं?", "\u0900-\u097f"),
    Language("id", "Indonesian", "Bagaimana cara kerja magnet?"),
    Language("it", "Italian", "Come funzionano i magneti?"),
    Language("ja", "Japanese", "磁石はどのように働くのですか？", "\u3040-\u30ff\u3400-\u9fff"),
    Language("ko", "Korean", "자석은 어떻게 작동하나요?", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"),
    Language("nl", "Dutch", "Hoe werken magneten?"),
    Language("pl", "Polish", "Jak działają magnesy?"),
    Language("pt", "Portuguese", "Como funcionam os ímãs?"),
    Language("ru", "Russian", "Как работают магниты?", "\u0400-\u04ff"),
    Language("sw", "Swahili", "Sumaku hufanyaje kazi?"),
    Language("th", "Thai", "แม่เหล็กทำงานอย่างไร?", "\u0e00-\u0e7f"),
    Language("tr", "Turkish", "Mıknatıslar nasıl çalışır?"),
    Language("vi", "Vietnamese", "Nam châm hoạt động như thế nào?"),
    Language("zh", "Chinese (simplified)", "磁铁是如何工作的？", "\u3400-\u9fff"),
)
