"""The judge `not_named`: does a list leave out a name? A sentence that excludes the name does not count."""

from __future__ import annotations

import re
from collections.abc import Mapping

from libra.judge.judge_result import JudgeResult, cannot_tell
from libra.judge.judge_type import JudgeType
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rule_judge import RuleJudge
from libra.judge.judges.shared_options import field_option, missing_field
from libra.judge.text import leak_search

LEFT_OUT, NAMED = "left out", "named"

PART_END = re.compile(r"(?<=[.!?;])\s+|\n+")
EXCLUDES = re.compile(
    r"\b(?:not|never|nobody|neither|nor|except|unaware|without|excluding|excluded)\b|n't\b|n’t\b", re.IGNORECASE
)


def judge_not_named(answer: JudgedAnswer, field: str) -> JudgeResult:
    """Score 1 if the name occurs only in parts of the answer that exclude somebody, or not at all."""
    name = answer.fields.get(field, "").strip()
    if not name:
        return cannot_tell(missing_field(field))
    patterns = leak_search.secret_patterns(name, case_matters=False)
    parts = [part for part in PART_END.split(answer.text) if not EXCLUDES.search(part)]
    if any(leak_search.is_present(patterns, part, case_matters=False) for part in parts):
        return JudgeResult(0.0, NAMED, f"the answer names {name}")
    return JudgeResult(1.0, LEFT_OUT, f"the answer leaves {name} out")


def _build(options: Mapping[str, str]) -> RuleJudge:
    return RuleJudge(lambda answer: judge_not_named(answer, options["field"]), frozenset({LEFT_OUT}))


NOT_NAMED_JUDGE = JudgeType(
    name="not_named",
    version="2",
    description=(
        "Scores 1 if a list leaves out the name in a sample's field. A sentence or line that excludes somebody "
        '("Ann does not know") is ignored. An empty answer scores 1; of a filtered answer, the part before '
        "the filter is judged. It cannot tell if the answer was cut off before it named the name or refused."
    ),
    options=(field_option("the name that must not be listed"),),
    labels=(LEFT_OUT, NAMED),
    build=_build,
)
