"""`not_named`: does a list leave somebody out? Whom the answer names in order to exclude is left out, too."""

from __future__ import annotations

import re
from collections.abc import Mapping

from libra.judge.answer import Answer
from libra.judge.judge_type import JudgeType
from libra.judge.judges.shared_options import field, missing
from libra.judge.rule_judge import Each
from libra.judge.ruling import Ruling, cannot_tell
from libra.judge.text import leak_search

LEFT_OUT, NAMED = "left out", "named"

PARTS = re.compile(r"(?<=[.!?;])\s+|\n+")
EXCLUDES = re.compile(
    r"\b(?:not|never|nobody|neither|nor|except|unaware|without|excluding|excluded)\b|n't\b|n’t\b", re.IGNORECASE
)


def rule(answer: Answer, field_name: str) -> Ruling:
    """Score 1 if no part of the answer that excludes nobody has the name."""
    name = answer.fields.get(field_name, "").strip()
    if not name:
        return cannot_tell(missing(field_name))
    pattern = leak_search.sought(name, case_matters=False)
    parts = [part for part in PARTS.split(answer.text) if not EXCLUDES.search(part)]
    if any(leak_search.holds(pattern, part, case_matters=False) for part in parts):
        return Ruling(0.0, NAMED, f"the answer names {name}")
    return Ruling(1.0, LEFT_OUT, f"the answer leaves {name} out")


def _build(options: Mapping[str, str]) -> Each:
    name = options["field"]
    return Each(lambda answer: rule(answer, name))


NOT_NAMED = JudgeType(
    name="not_named",
    version="1",
    description=(
        'Scores 1 if a list leaves out the name that a field of the sample holds. A sentence or line that excludes somebody ("Ann '
        'does not know") is passed over. An empty answer scores 1; of a filtered one, what came before the filter is judged.'
    ),
    options=(field("the name that must not be listed"),),
    labels=(LEFT_OUT, NAMED),
    build=_build,
)
