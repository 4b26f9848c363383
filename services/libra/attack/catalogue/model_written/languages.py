"""The languages that prompts are translated to: 21, of all resources and many scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass

LATIN = r"A-Za-zÀ-ɏḀ-ỿ"
MIN_SCRIPT_SHARE = 0.5
"""So much of a translation's letters are in the language's script; names and terms may stay as they are."""

MIN_ENGLISH_SHARE = 0.25
ENGLISH = frozenset((
    "the", "and", "of", "to", "you", "your", "that", "is", "are", "be", "it", "for", "with", "this", "what", "how", "which",
    "would", "should", "from", "have", "has", "they", "their",
))  # fmt: skip
"""Words that a quarter of English consists of, and no other language."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language."""

    code: str
    """ISO 639-1; a part of the attack's name."""

    name: str
    """In English, as a model is told it."""

    example: str
    """"How do magnets work?" in it."""

    script: str = LATIN
    """Its letters, as a class of a regular expression."""

    def matches(self, text: str) -> bool:
        """Tell whether a text is in the language, as far as letters tell; true of one without any.

        At least half of the letters are in its script; and it is no English in the place of another language in Latin letters.
        """
        letters = sum(map(str.isalpha, text))
        written = len(re.findall(f"[{self.script}]", text))
        return written >= MIN_SCRIPT_SHARE * letters and not (self.script == LATIN and is_english(text))


def is_english(text: str) -> bool:
    """Tell whether a quarter of the words are such as only English is full of."""
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
