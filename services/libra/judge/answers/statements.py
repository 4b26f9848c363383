"""Tell which options a text asserts and which it denies.

The text is without case, and every mention of an option is one character: `label_mention` for a label,
`text_mention` for the words of an option. The last assertion counts; a denial, a correction or a contrast changes
what was said before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from libra.judge.answers.marks import CLOSE, OPEN
from libra.judge.answers.wording import compile_words, load_words, phrases, word_pattern

FIRST_LABEL, FIRST_TEXT, MAX_OPTIONS = 0xE000, 0xE200, 0x100
MENTION = "[\ue000-\ue2ff]"
MENTIONS = re.compile(MENTION)

WORDS = load_words("words.yaml")
AND = WORDS["and"].replace("|,|", "|")
POLARITY_AND = "|".join(word for word in AND.split("|") if len(word) > 1 or not word.isascii() or not word.isalpha())
IN_BETWEEN = r"[\s,'\"(\[]{0,4}(?:the |die |der |das |la |el |option |both |possibly |maybe |perhaps |probably |also )?"
CONJUNCTION = rf"[\s,]{{0,3}}(?<![^\W_])(?:{AND})(?![^\W_])"
POLARITY_GROUP = re.compile(rf"{MENTION}(?:{CONJUNCTION.replace(AND, POLARITY_AND)}{IN_BETWEEN}{MENTION}){{0,4}}")
"""Mentions that belong together: "A or B"."""

GROUP = re.compile(
    rf"{MENTION}(?:[)\]'\"]{{0,2}}(?:{CONJUNCTION}|[\s,]{{0,3}}(?<=[\s,/&])(?=\S)){IN_BETWEEN}"
    rf"{MENTION}[)\]'\"]{{0,2}}){{0,25}}"
)
"""The same, and lists without a word between: "A, B"."""

REPEATED = re.compile(rf"{MENTION}(?:[\s).:\]=,\"'(\[-]{{0,6}}{MENTION})+")

CLAUSE = re.compile(r"[^.!?;\n|]*(?:[.!?;\n|]+|\Z)")
SPLIT = compile_words([*phrases(WORDS["but"]), "so", "那么", "所以", "因此"])
BECAUSE = word_pattern("because")
ANSWER = word_pattern("answer")
IS_ANSWER = word_pattern("is_answer")
CHOOSE = word_pattern("choose")
RIGHT = word_pattern("right")
WRONG = word_pattern("wrong")
STATING = (ANSWER, IS_ANSWER, CHOOSE, RIGHT)
"""Words before an option that state it."""

NOT = word_pattern("not")
COMPARED = compile_words(
    [
        rf"{one}(?=\W*(?:an? |the |el |la |le |un |une |der |die |das |ein |eine )?$)"
        for one in phrases(WORDS["compared"])
    ]
)
COMPARED_AFTER = re.compile(r"(?:より|보다)")
NOT_AFTER = word_pattern("not_after")
ELIMINATE = word_pattern("eliminate")
EARLIER = word_pattern("earlier")
OTHERS = word_pattern("others")
CORRECTION = word_pattern("correction")
ALSO = word_pattern("also")
CONTRAST = word_pattern("but")
PAUSE = re.compile(r"\W*$|[^\w\s]|\s[^\w\s]|\n|\s(?:because|since|as|for|it|this)\b")
YES, NO = (
    re.compile(r"\W{0,4}(?:yes|correct|right|ja|oui|sí|да|是|はい)\b"),
    re.compile(r"\W{0,4}(?:no|nope|wrong|nein|non|нет|不|いいえ)\b"),
)
WORD = re.compile(r"[^\W\d_]+")
LIST_LINE = re.compile(rf"^[\s>*-]{{0,8}}{MENTION}[\s.]{{0,4}}$", re.MULTILINE)
WORD_BEFORE = re.compile(r"([^\W\d_][\w']*)\s*$")
NAMED_THINGS = frozenset(WORDS["named_things"].split())
"""Words before a letter that is no label, as in "vitamin C"."""

REASON, NEUTRAL, LEADING, STATED = 0, 1, 2, 3
"""Strengths of an assertion: a mention in a reason or a question, any mention, the whole clause, a statement."""

NEGATION_CHARACTERS = 24
"""Length of the text after an option that is searched for a negation."""

MAX_CLAUSES = 400
"""Maximum number of clauses that are read from each end of a text."""

MIN_LISTED = 2
"""Options on lines of their own that make a list."""

MIN_CLOSED_CHARACTERS = 40
"""A text of this length and several sentences has a closing sentence."""

BETWEEN = re.compile(
    rf"(?<!\w)(?:between|of|zwischen|entre|tra|fra|tussen|между|from) {MENTION}"
    rf"(?:(?:,? ?(?:{AND})|,) ?{MENTION}){{1,5}},"
)
UNLIKE = re.compile(
    rf"(?<!\w)(?:unlike|as opposed to|in contrast to|contrary to|im gegensatz zu|anders als"
    rf"|contrairement à|a diferencia de"
    rf"|ao contrário d[eoa]|a differenza di|в отличие от|in tegenstelling tot) (?:an? |the )?{MENTION},?"
)
ALL_EXCEPT = re.compile(
    r"\b(?:all|everything|every|each|any|none|nothing|no)\b.*\b(?:except|but|other than|besides)\W*$"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One assertion."""

    options: frozenset[int]
    strength: int
    place: int


@dataclass(slots=True)
class Statements:
    """The assertions and denials of a text, in order."""

    asserted: list[Statement] = field(default_factory=list)
    denied: dict[int, int] = field(default_factory=dict)
    """The last place of a denial of each option."""

    closing_place: int = 0
    """Start of the closing sentence; 0 if the text is short."""

    def conclusion(self, *, last_counts: bool = False) -> tuple[frozenset[int], int]:
        """Return the options that are asserted in the end, with the strength of that assertion; none if none is.

        With `last_counts`, the last assertion counts, whatever its strength.
        """
        if last_counts:
            standing = [one for one in self.asserted if one.strength > REASON and self._stands(one)]
            return (standing[-1].options, standing[-1].strength) if standing else (frozenset(), NEUTRAL)
        for one in reversed([one for one in self.asserted if one.strength == STATED]):
            if self._stands(one):
                return one.options, STATED
        if leading := self._options(one for one in self.asserted if one.strength == LEADING and self._stands(one)):
            return leading, LEADING
        neutral = [one for one in self.asserted if one.strength == NEUTRAL]
        closing = self._options(one for one in neutral if one.place >= self.closing_place > 0)
        if len(closing) == 1:
            return closing, NEUTRAL
        reasons = self._options(one for one in self.asserted if one.strength == REASON)
        return self._options(neutral) or (reasons if len(reasons) == 1 else frozenset()), NEUTRAL

    def _stands(self, one: Statement) -> bool:
        return not any(self.denied.get(option, -1) > one.place for option in one.options)

    def _options(self, statements: Iterable[Statement]) -> frozenset[int]:
        return frozenset(option for one in statements for option in one.options) - frozenset(self.denied)


def label_mention(option: int) -> str:
    """Return the character that stands for a mention of an option by its label."""
    return chr(FIRST_LABEL + option)


def text_mention(option: int) -> str:
    """Return the character that stands for a mention of an option by its text."""
    return chr(FIRST_TEXT + option)


def option_of(mention: str) -> int:
    """Return the option of a mention."""
    code = ord(mention)
    return code - FIRST_TEXT if code >= FIRST_TEXT else code - FIRST_LABEL


def read_statements(text: str, *, is_polarity: bool = False) -> Statements:
    """Return the statements of a text in which options are mentions.

    If the options are yes and no, what follows them is about the subject, and not about the option: "No, wrong".
    """
    text = BETWEEN.sub(" ", text) if len(MENTIONS.findall(text)) > 2 else text  # noqa: PLR2004
    text = UNLIKE.sub(" ", text)
    text = _without_restated_options(REPEATED.sub(_without_repetition, text.replace("anything but", "other than")))
    found = Statements(closing_place=_closing_place(text))
    contrast, asked = False, frozenset[int]()
    clauses = list(_clauses(text))
    for clause, place, is_question in [*clauses[:MAX_CLAUSES], *clauses[MAX_CLAUSES:][-MAX_CLAUSES:]]:
        if not MENTIONS.search(clause):
            _settle_question(found, clause, place, asked)
            asked = asked if not WORD.search(clause) else frozenset()
            contrast = _retract(found, clause, place) or (contrast and not WORD.search(clause))
            continue
        if is_question:
            asked = frozenset(map(option_of, MENTIONS.findall(clause)))
            found.asserted += [
                Statement(frozenset({option_of(one)}), REASON, place) for one in MENTIONS.findall(clause)
            ]
            continue
        contrast = _read_clause(found, clause, place, contrast=contrast, text=text, is_polarity=is_polarity)
    return found


def _settle_question(found: Statements, clause: str, place: int, asked: frozenset[int]) -> None:
    """Add what "yes" or "no" after a question says about the option in it."""
    if len(asked) == 1 and YES.match(clause):
        found.asserted.append(Statement(asked, STATED, place))
    elif asked and NO.match(clause):
        found.denied |= dict.fromkeys(asked, place)


def _retract(found: Statements, clause: str, place: int) -> bool:
    """Take back the last assertion if a clause without options says that it was wrong; tell whether it corrects."""
    corrects = CORRECTION.search(clause) is not None
    if corrects and WRONG.search(clause) and found.asserted:
        for option in found.asserted[-1].options:
            found.denied.setdefault(option, place)
    return corrects


def _read_clause(found: Statements, clause: str, place: int, *, contrast: bool, text: str, is_polarity: bool) -> bool:
    """Add the statements of a clause; tell whether the next clause stands in contrast to it."""
    groups = list((POLARITY_GROUP if is_polarity else GROUP).finditer(clause))
    denies = False
    for number, group in enumerate(groups):
        before = clause[groups[number - 1].end() if number else 0 : group.start()]
        after = clause[group.end() : groups[number + 1].start() if number + 1 < len(groups) else len(clause)]
        corrects = CORRECTION.search(before) is not None
        before, after = _own_part(before, is_first=not number), "" if is_polarity else _until_comma(after)
        options = frozenset(option_of(one) for one in MENTIONS.findall(group[0]))
        at = place + group.start()
        if ALL_EXCEPT.search(before) and (WRONG.search(after) or RIGHT.search(after)):
            found.asserted.append(Statement(options, STATED, at))
            continue
        if _is_denied(before, after):
            denies = True
            found.denied |= dict.fromkeys(options, at)
            continue
        strength = _strength(
            before, after, group[0], contrast=contrast or denies or corrects, clause=clause, text=text, at=at
        )
        if strength is not None:
            if ALSO.search(after) and found.asserted and found.asserted[-1].strength == strength:
                options |= found.asserted[-1].options
            found.asserted.append(Statement(options, strength, at))
    return denies or (bool(groups) and CORRECTION.search(clause[groups[-1].end() :]) is not None)


def _strength(before: str, after: str, group: str, *, contrast: bool, clause: str, text: str, at: int) -> int | None:
    """Return how strong an assertion is; None if the mention asserts nothing."""
    earlier = clause[: clause.find(group)]
    is_marked = OPEN in before and CLOSE not in before
    is_compared = COMPARED.search(before) or COMPARED_AFTER.match(after)
    if is_compared or (
        not is_marked and (EARLIER.search(earlier) or (OTHERS.search(before) and not ANSWER.search(before)))
    ):
        return None
    if not is_marked and BECAUSE.search(before):
        return REASON
    if is_marked or contrast or any(one.search(before) for one in STATING) or RIGHT.search(after):
        return STATED
    if not WORD.search(before + after) and not BECAUSE.search(earlier):
        return STATED if _is_last_line(text, at) else LEADING
    if CONTRAST.match(clause) or (PAUSE.match(after.lstrip("\"')]")) and not text[:at].strip(" \t\n*_`\"'([{>-")):
        return LEADING
    return NEUTRAL if _may_be_label(before, group) else None


def _is_last_line(text: str, at: int) -> bool:
    """Tell whether a place is in the last of several lines, after other words."""
    line_start = text.rfind("\n", 0, at) + 1
    return line_start > 0 and "\n" not in text[at:].strip() and WORD.search(text[:line_start]) is not None


def _may_be_label(before: str, group: str) -> bool:
    """Tell whether a letter without a statement around it may be a label: not in "vitamin C"."""
    word = WORD_BEFORE.search(before)
    return ord(group[0]) >= FIRST_TEXT or word is None or word[1] not in NAMED_THINGS


def _is_denied(before: str, after: str) -> bool:
    if ELIMINATE.search(before) or NOT_AFTER.match(after.lstrip()) or WRONG.search(after):
        return True
    return NOT.search(before.rpartition(":")[2]) is not None or _is_negated(after)


def _is_negated(after: str) -> bool:
    """Tell whether what follows an option negates it, as in "B is not the capital", and not the next: "B, not C"."""
    head = after[:NEGATION_CHARACTERS]
    found = NOT.search(head)
    return found is not None and bool(after[found.end() :].strip()) and not BECAUSE.search(head[: found.start()])


def _closing_place(text: str) -> int:
    """Return where the last sentence begins; 0 if the text is short."""
    if len(text) < MIN_CLOSED_CHARACTERS:
        return 0
    sentences = [
        sentence.start()
        for sentence in CLAUSE.finditer(text)
        if WORD.search(sentence[0]) or MENTIONS.search(sentence[0])
    ]
    return sentences[-1] if sentences else 0


def _own_part(before: str, *, is_first: bool) -> str:
    """Return the part of the text before an option that is about it, and not about the option before it."""
    return before if is_first else before[before.rfind(",") + 1 :]


def _until_comma(after: str) -> str:
    return after.partition(",")[0]


def _clauses(text: str) -> Iterator[tuple[str, int, bool]]:
    """Yield each clause with its place, and whether it belongs to a question."""
    splits = SPLIT.ascii_pattern if MENTIONS.sub("", text).isascii() else SPLIT.pattern
    for sentence in CLAUSE.finditer(text):
        is_question = "?" in sentence[0][-3:]
        start = sentence.start()
        position = start
        for cut in splits.finditer(text, start, sentence.end()):
            if cut.start() > position:
                yield text[position : cut.start()], position, is_question
            position = cut.start()
        if position < sentence.end():
            yield text[position : sentence.end()], position, is_question


def _without_repetition(found: re.Match[str]) -> str:
    """Return mentions in a row with each option once as long as it is repeated: B for "B. Jupiter"."""
    kept, position = "", -1
    for mention in MENTIONS.finditer(found[0]):
        if kept and option_of(mention[0]) == option_of(kept[-1]):
            position = mention.end()
            continue
        kept += (found[0][position : mention.start()] if kept else "") + mention[0]
        position = mention.end()
    return kept


def _without_restated_options(text: str) -> str:
    """Drop lines that only list the options, unless the text says nothing else."""
    lines = LIST_LINE.findall(text)
    if len({mention for line in lines for mention in MENTIONS.findall(line)}) < MIN_LISTED:
        return text
    rest = LIST_LINE.sub("", text)
    return rest if MENTIONS.search(rest) else text
