"""Estimates what the models cost that judge answers or write attacks for a run."""

from __future__ import annotations

from dataclasses import dataclass

from libra.core.parameter_limits import DEFAULT_MAX_TOKENS
from libra.core.spending.model_price import price_of
from libra.dispatch.control.judge_usage import StoredJudgeUsage
from libra.dispatch.spec.judge_resolution import MODEL_OPTION
from libra.dispatch.spec.run_spec import ResolvedSpec
from libra.store.client import Store
from libra.store.runs import RunSection
from libra.v1.batch_pb2 import JudgeUsage
from libra.v1.model_pb2 import ModelPrice
from libra.v1.run_control_pb2 import (
    ESTIMATE_ROLE_ATTACK,
    ESTIMATE_ROLE_JUDGE,
    ESTIMATE_SOURCE_PROMPT_LENGTH,
    ESTIMATE_SOURCE_STORED_USAGE,
    ESTIMATE_SOURCE_UNKNOWN,
    EstimateSource,
    SectionEstimate,
)

RUBRIC_TOKENS = 500
"""Tokens of a judge's instructions, beside the prompt and the answer."""

SAMPLED_REPLIES = 200
"""Stored replies of a judge model whose usage is read: a mean needs no more."""

LOOKUP_SECONDS = 1.0

REPLY_OPTION = "max_tokens"
"""The option of judges that limits the reply."""

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """The mean tokens of one trial."""

    prompt_tokens: float
    completion_tokens: float
    source: EstimateSource.ValueType
    attack_tokens: float = 0.0
    """Prompt and answer tokens of the models that wrote for the attack; 0 without stored trials."""

    attack_usd: float = 0.0


class HelperEstimator:
    """Reads models and completions; writes nothing."""

    def __init__(self, store: Store, resolved: ResolvedSpec, judge_usage: StoredJudgeUsage) -> None:
        self._store, self._resolved, self._judge_usage = store, resolved, judge_usage
        self._replies: dict[str, tuple[float, float] | None] = {}
        self._prices: dict[str, ModelPrice | None] = {}

    def attack(self, model: str, section: RunSection, usage: Usage) -> list[SectionEstimate]:
        """Return the estimate of the models that an attack on this model asks; empty if it asks none.

        Only stored trials say how many requests an attack makes. Their tokens of prompts and answers, and their
        dollars, are stored as sums over the models of the attack.
        """
        spec = self._resolved.spec
        if section.attack not in self._resolved.model_attacks:
            return []
        is_known = usage.attack_tokens > 0
        names = [name for name in dict.fromkeys([spec.attack_model, spec.judge_model]) if name] or [model]
        return [
            SectionEstimate(
                model=" + ".join(names),
                task=section.task,
                attack=section.attack,
                trials=section.trials,
                prompt_tokens=round(usage.attack_tokens * section.trials),
                cost_usd=usage.attack_usd * section.trials,
                source=ESTIMATE_SOURCE_STORED_USAGE if is_known else ESTIMATE_SOURCE_UNKNOWN,
                role=ESTIMATE_ROLE_ATTACK,
            )
        ]

    async def judge(self, model: str, section: RunSection, usage: Usage) -> list[SectionEstimate]:
        """Return the estimates of the models that judge this model in a section; empty without a judge model.

        Stored trials with the same judge say how much it uses. Without any, it is one request for each trial.
        """
        name = section.judge.options.get(MODEL_OPTION, "")
        if stored := self._judge_usage.find(model, section):
            used = {each: stored.models.get(each, JudgeUsage()) for each in sorted({*stored.models, name} - {""})}
            scale = section.trials / stored.trials
            return [await self._judge_estimate(each, section, used[each], scale) for each in used]
        if not name:
            return []
        reply = await self._mean_reply(name)
        limit = float(section.judge.options.get(REPLY_OPTION) or DEFAULT_MAX_TOKENS)
        lengths = (usage.prompt_tokens + usage.completion_tokens + RUBRIC_TOKENS, limit)
        prompt_tokens, completion_tokens = (round(mean * section.trials) for mean in reply or lengths)
        expected = JudgeUsage(requests=section.trials, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
        source = ESTIMATE_SOURCE_STORED_USAGE if reply else ESTIMATE_SOURCE_PROMPT_LENGTH
        return [await self._judge_estimate(name, section, expected, source=source)]

    async def _judge_estimate(
        self,
        name: str,
        section: RunSection,
        usage: JudgeUsage,
        scale: float = 1.0,
        source: EstimateSource.ValueType = ESTIMATE_SOURCE_STORED_USAGE,
    ) -> SectionEstimate:
        """Return the estimate of a judge model that uses `scale` times this."""
        prompt_tokens, completion_tokens = round(usage.prompt_tokens * scale), round(usage.completion_tokens * scale)
        price = await self._price(name)
        return SectionEstimate(
            model=name,
            task=section.task,
            attack=section.attack,
            trials=section.trials,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            cost_usd=usd_of(prompt_tokens, completion_tokens, price),
            price_unknown=price is None,
            source=source,
            role=ESTIMATE_ROLE_JUDGE,
            requests=round(usage.requests * scale),
        )

    async def _mean_reply(self, name: str) -> tuple[float, float] | None:
        """Return the mean usage of the newest stored replies; None without any.

        Those of a model that is also under test are mostly other answers.
        """
        if name not in self._replies:
            self._replies[name] = None
            if name not in self._resolved.spec.models:
                completions = self._store.completions
                self._replies[name] = await completions.mean_usage(name, SAMPLED_REPLIES, LOOKUP_SECONDS)
        return self._replies[name]

    async def _price(self, name: str) -> ModelPrice | None:
        if name not in self._prices:
            model = await self._store.models.get(name)
            self._prices[name] = price_of(model) if model is not None else None
        return self._prices[name]


def usd_of(prompt_tokens: int, completion_tokens: int, price: ModelPrice | None) -> float:
    """Return the dollars that tokens cost; 0 without a price."""
    if price is None:
        return 0.0
    usd = prompt_tokens * price.usd_per_million_prompt_tokens
    usd += completion_tokens * price.usd_per_million_completion_tokens
    return usd / MILLION
