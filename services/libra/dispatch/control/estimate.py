"""Estimates the tokens and the cost of a run before it starts, its judge and attack models included.

The mean usage of stored trials of the same model, task version and attack is the best estimate. Without any, prompts
are counted from their length, and every answer at its limit: an upper limit, but for attacks that lengthen the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from libra.core.attack_names import PLAIN
from libra.core.parameter_limits import DEFAULT_MAX_TOKENS
from libra.core.spending.budget_ledger import Amount, amount
from libra.core.spending.model_price import price_of
from libra.dispatch.control.helper_estimate import HelperEstimator, Usage, usd_of
from libra.dispatch.control.judge_usage import find_judge_usage
from libra.dispatch.scheduling.expansion import TrialGrid
from libra.dispatch.spec.budget_fields import to_use
from libra.dispatch.spec.run_spec import ResolvedSpec
from libra.store.client import Store
from libra.store.reports.costs import Cost
from libra.store.runs import FINISHED, RunRecord, RunSection
from libra.v1.model_pb2 import ModelPrice
from libra.v1.run_control_pb2 import (
    ESTIMATE_ROLE_JUDGE,
    ESTIMATE_SOURCE_PROMPT_LENGTH,
    ESTIMATE_SOURCE_STORED_USAGE,
    ESTIMATE_SOURCE_UNKNOWN,
    EstimateRunResponse,
    SectionEstimate,
)

RECENT_RUNS = 50
"""Stored usage is looked for in the newest runs."""

SAMPLED_PROMPTS = 200
"""Prompts of a task whose length is read: a mean needs no more."""

BYTES_PER_TOKEN = 4
"""English has 4 to 5 bytes in a token."""


class Estimator:
    """Reads models, tasks, runs and completions; writes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def estimate(self, resolved: ResolvedSpec) -> list[SectionEstimate]:
        """Return the estimates for each model and section: the model itself, its attack, and its judge.

        A rejudging asks judges only.
        """
        records = await self._store.runs.list(limit=RECENT_RUNS)
        judge_usage = await find_judge_usage(self._store, resolved, records)
        spec, helpers = resolved.spec, HelperEstimator(self._store, resolved, judge_usage)
        estimates = []
        for name in spec.models:
            model = await self._store.models.get(name)
            price = price_of(model) if model is not None else None
            usages = await self._stored_usages(name, resolved, records)
            for section in resolved.sections:
                usage = usages.get((section.task, section.attack)) or await self._from_prompts(resolved, section)
                if not spec.rejudges:
                    estimates.append(_section_estimate(name, section, usage, price))
                    estimates += helpers.attack(name, section, usage)
                estimates += await helpers.judge(name, section, usage)
        return estimates

    async def _stored_usages(
        self, model: str, resolved: ResolvedSpec, records: Sequence[RunRecord]
    ) -> Mapping[tuple[str, str], Usage]:
        """Return the usage by task and attack, each from the newest finished run that has it."""
        missing = {(section.task, section.attack) for section in resolved.sections}
        found: dict[tuple[str, str], Usage] = {}
        for record in records:
            sections = {(each.task, each.attack): each for each in record.sections} if _is_source(record, model) else {}
            tasks = {task for task, attack in sections if (task, attack) in missing}
            for cost in await self._store.costs.sum_by_attack(record.run.id, [(model, task) for task in tasks]):
                key = (cost.task, cost.attack)
                if key in missing and (usage := _mean(cost, sections[key].trials)):
                    is_same = record.run.spec.attack_model == resolved.spec.attack_model
                    found[key] = usage if is_same else replace(usage, attack_tokens=0.0, attack_usd=0.0)
                    missing.discard(key)
            if not missing:
                break
        return found

    async def _from_prompts(self, resolved: ResolvedSpec, section: RunSection) -> Usage:
        task = await self._store.tasks.get(section.task)
        spec = resolved.spec
        grid = TrialGrid.for_task(
            section.task,
            task.sample_count if task else 0,
            samples_per_task=spec.samples_per_task,
            epochs=1,
            seed=spec.seed,
        )
        step = max(1, len(grid.ordinals) // SAMPLED_PROMPTS)
        samples = await self._store.tasks.get_samples(section.task, list(grid.ordinals)[::step])
        size = sum(len(message.content.encode()) for sample in samples for message in sample.messages)
        prompt_tokens = size / BYTES_PER_TOKEN / max(1, len(samples))
        max_tokens = spec.parameters.max_tokens or DEFAULT_MAX_TOKENS
        return Usage(prompt_tokens, max_tokens, ESTIMATE_SOURCE_PROMPT_LENGTH)


def _is_source(record: RunRecord, model: str) -> bool:
    """Return whether a run has usage of the model."""
    return bool(record.run.state == FINISHED) and not record.run.spec.rejudges and model in record.run.spec.models


def _mean(cost: Cost, trials: int) -> Usage | None:
    """Return the mean usage of a trial; None if the provider has not counted the tokens of some."""
    if not trials or cost.unknown_usage or not cost.completion_tokens + cost.prompt_tokens:
        return None
    return Usage(
        cost.prompt_tokens / trials,
        cost.completion_tokens / trials,
        ESTIMATE_SOURCE_STORED_USAGE,
        cost.attack_tokens / trials,
        cost.attack_cost_usd / trials,
    )


def _section_estimate(model: str, section: RunSection, usage: Usage, price: ModelPrice | None) -> SectionEstimate:
    prompt_tokens = round(usage.prompt_tokens * section.trials)
    completion_tokens = round(usage.completion_tokens * section.trials)
    return SectionEstimate(
        model=model,
        task=section.task,
        attack=section.attack,
        trials=section.trials,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost_usd=usd_of(prompt_tokens, completion_tokens, price),
        price_unknown=price is None,
        source=usage.source,
        requests=section.trials,
    )


def to_response(sections: Sequence[SectionEstimate], resolved: ResolvedSpec) -> EstimateRunResponse:
    """Return the estimate with its total and what it leaves out."""
    total = sum(
        (amount(each.cost_usd, each.prompt_tokens + each.completion_tokens, each.requests) for each in sections),
        Amount(),
    )
    return EstimateRunResponse(
        sections=sections, total=to_use(total), warnings=[*resolved.warnings, *_omissions(sections)]
    )


def _omissions(sections: Sequence[SectionEstimate]) -> list[str]:
    sentences = []
    unknown = sorted({f"{each.attack} on {each.task}" for each in sections if each.source == ESTIMATE_SOURCE_UNKNOWN})
    if unknown:
        sentences.append(
            f"requests of {', '.join(unknown)} to attack and judge models are not in the estimate: how many an attack "
            "makes is known only from stored trials"
        )
    if any(each.role == ESTIMATE_ROLE_JUDGE and each.source == ESTIMATE_SOURCE_PROMPT_LENGTH for each in sections):
        sentences.append(
            "a judge is estimated as one request for each trial, with a reply at its limit; a panel makes more"
        )
    if unpriced := sorted({each.model for each in sections if each.price_unknown}):
        sentences.append(f"the price of {', '.join(unpriced)} is not known, so dollars are a lower limit")
    by_length = [each for each in sections if each.source == ESTIMATE_SOURCE_PROMPT_LENGTH and not each.role]
    if any(each.attack != PLAIN for each in by_length):
        sentences.append("an attack may make prompts longer than they are estimated")
    return sentences
