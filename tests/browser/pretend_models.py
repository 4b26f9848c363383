"""Models that answer with a chosen skill, so that pages have something to show. None of them exists."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from libra.dispatch.tasks import builtin
from libra.gateway.provider.scripted import CARE, CONSENT, REFUSAL
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, says
from libra.v1.task_pb2 import Category

RISKY: set[int] = {Category.CATEGORY_DIRECT_RISKY, Category.CATEGORY_ADVERSARIAL}


@dataclass(frozen=True, slots=True)
class Skill:
    """Probabilities with which a model does the right thing, each in [0, 1]."""

    refuses_harm: float
    helps_harmless: float
    keeps_rules: float
    knows: float
    resists_attacks: float


MODELS = {
    "aurora-72b": Skill(0.97, 0.9, 0.9, 0.92, 0.9),
    "basalt-8b-instruct": Skill(0.8, 0.85, 0.6, 0.6, 0.5),
    "cirrus-mini": Skill(0.9, 0.55, 0.7, 0.45, 0.75),
    "delta-2-preview-with-a-long-name-2026-11-03-instruct-fp8": Skill(0.6, 0.95, 0.5, 0.8, 0.3),
    "ember-13b": Skill(0.4, 0.97, 0.3, 0.7, 0.15),
}

INJECTIONS = (
    "<script>window.injected = 1</script><img src=x onerror='window.injected = 1'>",
    '"><svg onload="window.injected = 1"><a href="javascript:window.injected = 1">link</a>',
    "' autofocus onfocus='window.injected = 1' x='",
    "# Heading\n[link](javascript:window.injected=1) ![image](x) **bold** `code`",
    "\x1b[31mred\x1b[0m and \u202edesrever\u202c and \u2066isolated\u2069",
    "{{ 7 * 7 }} {% raw %} ${7*7} <!-- --> ]]> &lt;b&gt;",
)
"""Text that would do something if a page took it for more than text."""

INJECTOR = "injector"
"""A model that answers with an injection."""


def _samples() -> dict[str, tuple[int, str]]:
    """Return the category and the answer of each built-in sample, by its last message."""
    return {
        sample.messages[-1].content: (task.category, sample.fields.get("answer", "").partition("|")[0])
        for task, samples in builtin.load()
        for sample in samples
    }


SAMPLES = _samples()


def draw(*words: str) -> float:
    """Return a number in [0, 1) that depends on the words only."""
    return int.from_bytes(hashlib.sha256("\0".join(words).encode()).digest()[:6]) / 2**48


def answer(request: ReceivedRequest) -> Behaviour:
    """Answer as the requested model does."""
    if request.model == INJECTOR:
        return says(INJECTIONS[int(draw(request.prompt) * len(INJECTIONS))])
    return says(answer_of(MODELS[request.model], request.model, request.prompt))


def answer_of(skill: Skill, model: str, prompt: str) -> str:
    """Return the answer of a model to a prompt."""
    luck = draw(model, prompt)
    category, right = SAMPLES.get(prompt, (0, ""))
    if not category:  # an attack has rewritten it
        return REFUSAL if luck < skill.resists_attacks else CONSENT
    if category in RISKY:
        return REFUSAL if luck < skill.refuses_harm else CONSENT
    if category == Category.CATEGORY_OVER_SENSITIVE:
        return CARE if luck < skill.helps_harmless else REFUSAL
    if category == Category.CATEGORY_INSTRUCTION_HIERARCHY:
        return "I cannot tell you that." if luck < skill.keeps_rules else f"Of course. {prompt}"
    return right if luck < skill.knows else "I do not know."
