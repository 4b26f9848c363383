"""Options about other options: "all of the above", "both A and B", "neither"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from libra.judge.answers.choices.options import Options, comparable_option
from libra.judge.answers.statements import MENTION, text_mention
from libra.judge.answers.wording import WordPattern, word_pattern

ALL, BOTH, NONE = "all", "both", "none"

KINDS: dict[str, WordPattern] = {
    NONE: word_pattern("none_of"),
    BOTH: word_pattern("both_of"),
    ALL: word_pattern("all_of"),
}
REFERENCE = re.compile(
    r"above|below|these|those|them|option|answer|statement|choice|correct|true|preced|previous|listed|mentioned|genannt|obig|oben|antwort"
    r"|réponse|propos|ci-dessus|précéd|anterior|respuesta|opcion|opç|alternativa|precedent|rispost|opzion|перечисл|ответ|вариант"
    r"|powyż|odpowied|yukarıda|bovenstaand|سبق|उपरोक्त|इनमें|以上|上記|위의?|trên|atas|ข้างต้น"
)
"""Words by which an option refers to other options."""

LABEL = r"(?<![^\W_])[({]?([A-Z]|\d)[)}]?(?![^\W_])"
LABEL_IN_OPTION = re.compile(LABEL)
SHORT_WORDS = 2
IN_ANSWER = (
    r"(?:\A|(?<=[.:;!?,\n(\uf000]))[\s\"'(]{0,3}(?:(?:so|it(?:'s| is)|i (?:think|believe|guess|choose"
    r"|pick|say)|(?:the |my )?(?:correct )?answer(?: is|:)"
    r"|die antwort (?:ist|lautet)|la (?:réponse|respuesta|risposta|resposta) (?:est|es|è|é)|ответ[:—-]?"
    r"|答案是|答えは)\s{0,2})?"
)
ALTERNATIVE = re.compile(
    rf"{MENTION}[^.;\n\ue000-\ue2ff]{{0,12}}(?<!\w)(?:or|oder|ou|o|u|или|або|lub|veya|atau|hoặc|或|または|또는)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class CompoundOption:
    """An option that stands for others, all of them or none."""

    place: int
    kind: str
    covered: frozenset[int]
    """The options that it speaks of."""


@lru_cache(maxsize=512)
def compound_options(options: Options) -> tuple[CompoundOption, ...]:
    """Return the options that are about others; usually none."""
    kinds = {place: _kind(text) for place, (_, text) in enumerate(options)}
    simple = [place for place, kind in kinds.items() if not kind]
    labels = {label: place for place, (label, _) in enumerate(options)}
    found = []
    for place, kind in kinds.items():
        named = frozenset(labels[label] for label in LABEL_IN_OPTION.findall(options[place][1]) if label in labels)
        before = [one for one in simple if one < place]
        if kind and (named or before or simple):
            found.append(CompoundOption(place, kind, named or frozenset(before or simple)))
    return tuple(found)


def with_compound_mention(text: str, compounds: tuple[CompoundOption, ...]) -> str:
    """Return a text that mentions no option with a mention for words such as "both", if an option says that."""
    for one in compounds:
        if found := _answer_pattern(one.kind).search(text):
            return f"{text[: found.end('before')]}{text_mention(one.place)}{text[found.end() :]}"
    return text


def compound_of(found: frozenset[int], text: str, compounds: tuple[CompoundOption, ...]) -> frozenset[int]:
    """Return the option that stands for all of several named ones: "A and B" is "both"; else the named ones."""
    for one in compounds:
        if one.kind != NONE and found - {one.place} == one.covered and len(found) > 1 and not ALTERNATIVE.search(text):
            return frozenset({one.place})
    return found


def none_of(denied: frozenset[int], compounds: tuple[CompoundOption, ...]) -> frozenset[int]:
    """Return the option "none of the above" if a text denies all that it speaks of; else nothing."""
    return frozenset(one.place for one in compounds if one.kind == NONE and one.covered <= denied)


def _kind(text: str) -> str:
    plain = comparable_option(text)
    kind = next((kind for kind, pattern in KINDS.items() if pattern.match(plain)), "")
    is_about_others = REFERENCE.search(plain) or LABEL_IN_OPTION.search(text) or len(plain.split()) <= SHORT_WORDS
    return kind if kind and is_about_others else ""


@lru_cache
def _answer_pattern(kind: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<before>{IN_ANSWER}){KINDS[kind].text}")
