"""Replace every mention of an option by one character."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from functools import lru_cache

from libra.judge.answers.choices.compounds import CompoundOption, with_compound_mention
from libra.judge.answers.choices.options import Options, comparable_option
from libra.judge.answers.marks import CLOSE, OPEN
from libra.judge.answers.statements import MENTION, label_mention, text_mention
from libra.judge.answers.wording import UNSPACED, alternatives, fold, load_words, phrases

WORDS = load_words("words.yaml")
NAMED_BY = (
    r"(?:option|choice|answer|letter|alternative|opci[oó]n|opç[aã]o|alternativa|opzione|lettera|letra|lettre|buchstabe|antwort"
    r"|вариант|буква|seçenek|şıkkı|विकल्प|选项|選項|選択肢|선택지|ข้อ)"
)
CONNECTORS = (
    r"is|are|was|and|or|nor|because|since|as|but|so|would|seems|looks|must|should|has|can|could|cannot|can't|isn't|instead|rather|not"
    r"|remains|fits|または|또는|或|和|と|와|및|नहीं|mà|mais|sondern|aber|sino|mas|ma|pero|ale|но|ama|maar|here|though|definitely|probably|ist|oder|und|est|et|ou|es|y|o|é|è|e|и|или|а|не|jest|lub|ve|veya|değil|हैं?|और|या|is"
)
LATIN = re.compile(r"[A-Z]")
RARE_WORDS = frozenset("BCDFGHJKLMNPQRSTVWXZ")
"""Latin letters that are no words in the languages that are read, so that they need no look at the next word."""

SCRIPTS = (
    r"A-Za-zÀ-ɏ0-9",
    r"\u0370-\u03ff",
    r"\u0400-\u04ff",
    r"\u0590-\u05ff",
    r"\u0600-\u06ff",
    r"\u0900-\u097f",
    r"\u0980-\u09ff",
    r"\u0e00-\u0e7f",
    r"\u3040-\u309f",
    r"\u30a0-\u30ff",
    r"\u4e00-\u9fff",
    r"\uac00-\ud7a3",
)
HANGUL_ENDING = r"(?=[^\uac00-\ud7a3]|\Z|입니다|이다|이에요|예요|번|가 |는 |은 )"
ANSWER_LETTER = re.compile(r"\AA: ?(?=[(\[]?[A-Z][)\]]?\W{0,4}\Z)")
"""The letter A for the word "answer", as in "A: B"."""


@lru_cache(maxsize=512)
def text_pattern(options: Options) -> re.Pattern[str] | None:
    """Return the pattern of all texts of options, longest first; one group for each."""
    texts = [(comparable_option(text), place) for place, (_, text) in enumerate(options)]
    texts = sorted(((text, place) for text, place in texts if text), key=lambda one: -len(one[0]))
    if not texts:
        return None
    known = {text for text, _ in texts}
    return re.compile("|".join(f"(?P<o{place}>{_whole(text)}{_plural(text, known)})" for text, place in texts))


def _plural(text: str, known: AbstractSet[str]) -> str:
    """Return the alternatives for an English noun in the other number, as "|dogs" for "dog"; none that is an option."""
    if not PLURAL_NOUN.fullmatch(text):
        return ""
    if text.endswith("s"):
        forms = [text[:-1]] if not text.endswith(("ss", "us", "is", "as", "os", "ws")) else []
    else:
        forms = [f"{text}s"]
    forms += [form for one, other in PLURAL_ENDINGS for form in _replaced_end(text, one, other)]
    return "".join(f"|{_whole(form)}" for form in forms if form not in known)


def _replaced_end(text: str, singular: str, plural: str) -> list[str]:
    for one, other in ((singular, plural), (plural, singular)):
        if text.endswith(one) and not (one == "y" and text[-2] in "aeiou"):
            return [text.removesuffix(one) + other]
    return []


def _whole(text: str) -> str:
    pattern = r"\s+".join(map(re.escape, text.split()))
    for article in ("the ", "a ", "an "):
        if text.startswith(article) and len(text) > len(article) + 3:
            pattern = "(?:" + pattern.removeprefix(re.escape(article.strip()) + r"\s+").join(
                [rf"{article.strip()}\s+)?", ""]
            )
            break
    before = _edge(text[0], before=True)
    after = _edge(text[-1], before=False)
    return before + pattern + after


def _edge(character: str, *, before: bool) -> str:
    if character.isdigit():
        return r"(?<![\w.,])" if before else r"(?!\w|[.,]\d)"
    if re.match(f"[{UNSPACED}]", character) or not character.isalnum():
        return ""
    return r"(?<![^\W_])" if before else r"(?![^\W_])"


PLURAL_NOUN = re.compile(r"(?:[^\W\d_]+ )?[a-z]{3,}")
"""A text that may have a plural: one or two words that end in three Latin letters."""

PLURAL_ENDINGS = (
    ("y", "ies"),
    ("lf", "lves"),
    ("fe", "ves"),
    ("x", "xes"),
    ("sh", "shes"),
    ("ch", "ches"),
    ("ss", "sses"),
    ("us", "i"),
    ("man", "men"),
    ("mouse", "mice"),
    ("goose", "geese"),
    ("tooth", "teeth"),
    ("foot", "feet"),
    ("child", "children"),
)
"""The ends of a noun in the singular and in the plural, where more than an s is added."""

LABEL_GROUPS = ("wrapped", "named", "line", "ending", "marked", "chosen", "bare")
KEPT = re.compile("answer|choice|antwort", re.IGNORECASE)
"""Words before a label that state it; other words, as in "option B", only name it."""


@lru_cache(maxsize=512)
def label_pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern of the labels in a text with case; its group `label` is the label."""
    any_case = "|".join(
        sorted(
            {form for label in labels for form in (re.escape(label), re.escape(label.lower()))}, key=len, reverse=True
        )
    )
    bare = "|".join(_bare(label) for label in labels)
    return re.compile(
        rf"(?<![\w(\[])[(\[\"'{{](?P<wrapped>{any_case})[)\]\"'}}](?!\w)"
        rf"|(?i:(?<!\w)(?P<by>{NAMED_BY}))(?:\s{{1,2}}|\s?[:#-]\s?|(?<=[{UNSPACED}]))[\"'(\[]{{0,2}}(?P<named>{any_case})(?![A-Za-z0-9]|'[a-z])[)\]\"']{{0,2}}"
        rf"|^[\s>*-]{{0,8}}(?P<line>{any_case})(?:[).:](?=\s|\Z|[^\x00-\x7f])|[\s.!]{{0,4}}$)"
        rf"|(?:(?<=is )|(?<=: )|(?<=:))(?P<ending>{any_case})(?=[\s.!)]{{0,4}}(?:$|\Z))"
        rf"|(?<={OPEN})\s{{0,3}}(?P<marked>{any_case})\s{{0,3}}(?={CLOSE})"
        rf"|(?:(?<=with )|(?<=choose )|(?<=pick )|(?<=select ))(?P<chosen>{'|'.join(map(re.escape, labels))})(?![\w'-])"
        rf"|(?P<bare>{bare})",
        re.MULTILINE,
    )


def _bare(label: str) -> str:
    escaped = re.escape(label)
    if label.isdigit():
        return rf"(?<![\w.,/^-]){escaped}(?![\w/%^]|[.,]\d|\s?[+*×=-]\s?\d)"
    script = next((one for one in SCRIPTS if re.match(f"[{one}]", label)), SCRIPTS[0])
    if script == SCRIPTS[-1]:
        return rf"(?<![{script}]){escaped}{HANGUL_ENDING}"
    guard = (
        ""
        if label in RARE_WORDS or len(label) > 1 or (script != SCRIPTS[0] and not _has_case(label))
        else (rf"(?! (?!(?:{CONNECTORS})(?!\w))[^\W\d_A-ZА-ЯΑ-Ω])")
    )
    return rf"(?<![{script}_°'-])(?<!° ){escaped}(?![{script}_-]|\.[{script}]|'[aeiouyhéèêàâ]){guard}"


def _has_case(label: str) -> bool:
    return label.lower() != label


def with_mentions(text: str, options: Options, compounds: tuple[CompoundOption, ...] = ()) -> str:
    """Return a cleaned text without case, with a character for every mention of an option."""
    text = ANSWER_LETTER.sub("", text)
    labels = tuple(label for label, _ in options)
    places = {label: place for place, label in enumerate(labels)}
    pattern = text_pattern(options)
    if pattern is not None:
        text = _replace_texts(pattern, text, fold(text).replace("ё", "е"))
    text = fold(label_pattern(labels).sub(lambda found: _mention(found, places), text))
    if compounds and not re.search(MENTION, text):
        text = with_compound_mention(text, compounds)
    return _with_references(_with_ordinals(text, len(labels)), len(labels))


def _with_references(text: str, count: int) -> str:
    """Return text with a mention for "the latter", of the options named before it, or else of the two listed."""

    def mention(found: re.Match[str]) -> str:
        named = list(dict.fromkeys(re.findall(MENTION, text[: found.start()])))
        pair = named[-2:] if len(named) > 1 else [text_mention(0), text_mention(1)] if count == len(PAIR) else None
        return found[0] if pair is None else pair[found.lastgroup == "latter"]

    return PAIR_REFERENCE.sub(mention, text)


def _replace_texts(pattern: re.Pattern[str], text: str, folded: str) -> str:
    pieces, position = [], 0
    for found in pattern.finditer(folded):
        pieces += [text[position : found.start()], text_mention(int((found.lastgroup or "o0")[1:]))]
        position = found.end()
    return "".join([*pieces, text[position:]])


def _mention(found: re.Match[str], places: dict[str, int]) -> str:
    name = next(name for name in LABEL_GROUPS if found[name])
    place = places.get(found[name], places.get(found[name].upper(), -1))
    start, end = found.span(name)
    whole, offset = found[0], found.start()
    if name == "wrapped" or (name == "named" and not KEPT.fullmatch(found["by"])):
        return text_mention(place)
    return whole[: start - offset] + label_mention(place) + whole[end - offset :]


@lru_cache(maxsize=64)
def _ordinal_pattern(count: int) -> re.Pattern[str]:
    ordinals = WORDS["ordinals"][:count]
    groups = "|".join(f"(?P<n{place}>{words})" for place, words in enumerate(ordinals))
    return re.compile(
        rf"(?<!\w)(?:{groups}|(?P<last>{WORDS['last']}))(?:\s?(?:{WORDS['thing']})|\sof\s(?:the|these|those|them|all))(?!\w)"
    )


def _with_ordinals(text: str, count: int) -> str:
    """Return text with a mention for "the second option", if it mentions no option otherwise."""
    if re.search(MENTION, text):
        return _numbered(text, count)

    def mention(found: re.Match[str]) -> str:
        if found["last"]:
            return text_mention(count - 1) if found[0].split()[-1] not in {"answer", "choice"} else found[0]
        return text_mention(int((found.lastgroup or "n0")[1:]))

    text = ORDINAL_ALONE.sub(r"\1 one", text)
    return _numbered(_ordinal_pattern(count).sub(mention, text), count)


ORDINAL_ALONE = re.compile(
    rf"\A\W{{0,4}}(?:the |die |der |das |la |el |le |il )?({'|'.join(WORDS['ordinals'])})\W{{0,4}}\Z"
)
PAIR = ("former", "latter")
PAIR_REFERENCE = re.compile(
    "|".join(rf"(?P<{name}>(?:\bthe )?{alternatives(phrases(WORDS[name]))}(?: one)?)" for name in PAIR)
)
NUMBERED = re.compile(r"(?<!\w)(?:option|choice|alternative|number)\s{0,2}#?(\d)(?!\w)")


def _numbered(text: str, count: int) -> str:
    """Return text with a mention for "option 3", whose labels are letters."""
    if re.search(MENTION, text):
        return text
    return NUMBERED.sub(lambda found: text_mention(int(found[1]) - 1) if 0 < int(found[1]) <= count else found[0], text)
