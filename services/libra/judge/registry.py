"""The judges there are."""

from __future__ import annotations

from collections.abc import Mapping

from libra.errors import Invalid, unknown
from libra.judge.judge_type import JudgeType
from libra.judge.judges.cascade import CASCADE
from libra.judge.judges.harm import HARM
from libra.judge.judges.model import MODEL
from libra.judge.judges.panel import PANEL
from libra.judge.judges.per_sample import MIXED
from libra.judge.rule_registry import RULES, in_order

KINDS: Mapping[str, JudgeType] = in_order([*RULES.values(), CASCADE, HARM, MIXED, MODEL, PANEL])
"""By name, in order of name."""


def kind_named(name: str) -> JudgeType:
    """Return the judge of this name; raise Invalid, with the nearest names, if there is none."""
    kind = KINDS.get(name)
    if kind is None:
        raise Invalid(unknown("judge", name, list(KINDS)), field="judge.name")
    return kind
