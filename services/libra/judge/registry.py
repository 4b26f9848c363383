"""All judges, by name. Composite judges receive the judges that they may use from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from libra.core.errors import Invalid, unknown
from libra.judge.judge_type import JudgeType
from libra.judge.judges.composite.cascade import cascade_judge
from libra.judge.judges.composite.harm import harm_judge
from libra.judge.judges.composite.panel import panel_judge
from libra.judge.judges.composite.per_sample import per_sample_judge
from libra.judge.judges.guards.catalogue import GUARD_JUDGES
from libra.judge.judges.model import MODEL_JUDGE
from libra.judge.judges.rules.choice import CHOICE_JUDGE
from libra.judge.judges.rules.contains import ABSENT_JUDGE, CONTAINS_JUDGE
from libra.judge.judges.rules.differs import DIFFERS_JUDGE
from libra.judge.judges.rules.exact import EXACT_JUDGE
from libra.judge.judges.rules.not_named import NOT_NAMED_JUDGE
from libra.judge.judges.rules.number import NUMBER_JUDGE
from libra.judge.judges.rules.rating import RATING_JUDGE
from libra.judge.judges.rules.refusal import REFUSAL_JUDGE
from libra.judge.judges.rules.stance import STANCE_JUDGE
from libra.judge.judges.rules.yes_no import YES_NO_JUDGE


def _by_name(judge_types: Iterable[JudgeType]) -> dict[str, JudgeType]:
    return {judge_type.name: judge_type for judge_type in sorted(judge_types, key=lambda one: one.name)}


RULES: Mapping[str, JudgeType] = _by_name(
    [
        ABSENT_JUDGE,
        CHOICE_JUDGE,
        CONTAINS_JUDGE,
        DIFFERS_JUDGE,
        EXACT_JUDGE,
        NOT_NAMED_JUDGE,
        NUMBER_JUDGE,
        RATING_JUDGE,
        REFUSAL_JUDGE,
        STANCE_JUDGE,
        YES_NO_JUDGE,
    ]
)
"""The judges that ask no model, in order of name."""

HARM_JUDGE = harm_judge(REFUSAL_JUDGE, MODEL_JUDGE)

JUDGES: Mapping[str, JudgeType] = _by_name(
    [
        *RULES.values(),
        MODEL_JUDGE,
        HARM_JUDGE,
        cascade_judge(RULES, MODEL_JUDGE),
        *GUARD_JUDGES,
        panel_judge([*RULES.values(), HARM_JUDGE, MODEL_JUDGE, *GUARD_JUDGES]),
        per_sample_judge(RULES),
    ]
)
"""All judges, in order of name."""


def judge_type_named(name: str) -> JudgeType:
    """Return the judge type of this name; raise Invalid, with the nearest names, if there is none."""
    judge_type = JUDGES.get(name)
    if judge_type is None:
        raise Invalid(unknown("judge", name, list(JUDGES)), field="judge.name")
    return judge_type
