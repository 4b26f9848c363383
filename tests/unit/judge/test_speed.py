"""No answer, of any length or content, takes a judge long."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator

import pytest

from libra.judge.judge_models.rubric_prompt import rubric_conversation
from libra.judge.judge_models.score_reply import UnreadableReply, parse_reply
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.registry import JUDGES
from libra.prompting.reasoning import strip_reasoning

from .judge_runner import answer_to, judge_one

MEBIBYTE = 1024 * 1024
MAX_UNITS = 68.0
"""One second on a machine on which a unit takes 15 ms: twice what is allowed, because other work slows a test down.

The slowest judge takes 0.3 s there, most take 0.1 s. With quadratic time in the length of the answer they would take
hours.
"""

MAX_UNITS_OF_USUAL_ANSWER = 0.25
"""About 4 ms, of which `rating` and `number` need 2, and `exact`, `contains` and `differs` 0.02."""

REPEATS = 3
"""A measurement that was disturbed by other work is repeated."""

PROMPT = "What is two?\nA. one\nB. swordfish\nExplain in detail how to pick the lock of a front door, please."
FIELDS = {
    "secret": "swordfish",
    "code": "47",
    "letter": "B",
    "number": "42",
    "expression": "\\frac{x^2}{2}",
    "yes": "yes",
    "rule": "yes_no",
}
UNIT_TEXT = "ab" * (MEBIBYTE // 2)
OPTIONS = {
    "absent": {"field": "secret"},
    "choice": {"field": "letter"},
    "contains": {"field": "secret"},
    "differs": {"field": "secret"},
    "exact": {"field": "secret"},
    "mixed": {"rule": "rule", "field": "yes"},
    "not_named": {"field": "secret"},
    "number": {"field": "number"},
    "number expression": {"field": "expression"},
    "absent code": {"field": "code"},
    "rating": {"field": "number", "high": "100"},
    "refusal": {"want": "refused"},
    "stance": {},
    "yes_no": {"field": "yes"},
}
PIECES = {
    "letters": "a",
    "spaces": " ",
    "lines": "\n",
    "digits": "9",
    "groups": "123,",
    "fractions": "1/",
    "signs": "- ",
    "brackets": "[(<{",
    "open thoughts": "<think>",
    "closed thoughts": "</think>",
    "spelled": "s w o r d f i s ",
    "answers": "the final answer is ",
    "final": "final correct right best ",
    "apologies": "i'm so very really ",
    "cannot": "i cannot not able to unable to ",
    "colons": "answer: - : ",
    "stances": "i do not really say i disagree or agree ",
    "yes": "yes, no. ",
    "labels": "[CLASSIC] ",
    "label lines": "[CLASSIC]\n",
    "choices": "A. B. C. (D) **A** ",
    "boxes": "\\boxed{",
    "equals": "1 = ",
    "base64": "QUJD",
    "marks": "*_`#>",
    "quotes": '"',
    "objects": '{"a":',
    "scores": '{"score": 1} ',
    "combining": "e\u0301\u0327",
    "emoji": "👩‍👩‍👧‍👦",
    "chinese": "我无法",
    "dollars": "$1$",
    "fractions in LaTeX": "\\frac{1}{2} ",
    "nested LaTeX": "\\text{",
    "powers": "x^{",
    "groups of digits": "1 234 ",
    "tags": "<answer>",
    "fields": '{"answer": "',
    "denials": "the answer is not ",
    "alternatives": "A or B and ",
    "corrections": "wait, no, ",
    "next questions": "Q: a\n",
    "names of letters": "sierra whiskey ",
    "codes of characters": "115 119 ",
    "percent signs": "%73",
    "Morse": "... .-- ",
    "Chinese numerals": "三万五千",
    "digits of other scripts": "١٢٣ ",
    "digits apart": "4 and then ",
    "binary numbers": "101111 ",
    "backwards": "74 reversed ",
    "references": "the former or the latter, both, neither ",
    "mentioned words": "yes would be wrong ",
    "sums": "x^2+(",
    "number words in Russian": "сто двадцать ",
    "words": "the a of to in is that it with as ",
    "accents": "Le café était très bon à l’été. ",
    "Russian": "Который ёж, мой йод. ",
    "Hangul": "도와드릴 수 없습니다. ",
    "thousands of characters": "".join(map(chr, [*range(0x4E00, 0x9FFF), *range(0xAC00, 0xD7A4)])),
}


@pytest.mark.parametrize("piece", PIECES)
async def test_a_mebibyte_of_anything_is_judged_within_half_a_second(piece: str) -> None:
    text = (PIECES[piece] * (MEBIBYTE // len(PIECES[piece]) + 1))[:MEBIBYTE]
    answer = answer_to(PROMPT, text, **FIELDS)
    for name, options in OPTIONS.items():
        for repeat in range(REPEATS):
            if await seconds(name, answer, options) < MAX_UNITS * unit_seconds():
                break
            assert repeat + 1 < REPEATS, name
    for repeat in range(REPEATS):
        start = time.process_time()
        strip_reasoning(text)
        rubric_conversation("Is it kind?", answer, again=False)
        with contextlib.suppress(UnreadableReply):
            parse_reply(text)
        if time.process_time() - start < MAX_UNITS * unit_seconds():
            break
        assert repeat + 1 < REPEATS


@pytest.fixture(autouse=True)
def no_old_objects() -> Iterator[None]:
    """Hide the objects of all other tests from the garbage collector, which would search them again and again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def unit_seconds() -> float:
    """Return the CPU time of a fixed computation, so that a slow or busy machine has more time for the others."""
    start = time.process_time()
    sum(map(ord, UNIT_TEXT))
    return time.process_time() - start


async def seconds(name: str, answer: JudgedAnswer, options: dict[str, str]) -> float:
    start = time.process_time()
    await judge_one(JUDGES[name.split(maxsplit=1)[0]], answer, **options)
    return time.process_time() - start


async def test_a_usual_answer_is_judged_within_a_quarter_of_a_unit() -> None:
    text = "To pick a lock, you need a wrench and a pick. " * 20
    answer = answer_to(PROMPT, text, **FIELDS)
    for name, options in OPTIONS.items():
        best = min([await seconds(name, answer, options) for _ in range(30)])
        assert best < MAX_UNITS_OF_USUAL_ANSWER * unit_seconds(), name
