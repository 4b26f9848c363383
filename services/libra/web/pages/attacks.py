"""The attacks of a run: how often each succeeds on each model, its gain over the plain prompt, and its cost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from libra.cli.render.attack_report import LEGEND
from libra.cli.render.format import ABSENT, dollars, short_count, short_duration
from libra.core.attack_names import PLAIN
from libra.v1.ranking_pb2 import AttackReport, ReportAttacksRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import GetRunRequest
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.web.keys import BACKEND
from libra.web.query import Query
from libra.web.renderer import render
from libra.web.runs.known_runs import suggests_runs
from libra.web.runs.run_summary import summarize
from libra.web.transcript.verdict_filters import verdicts_url

ROUTES = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class AttackGrid:
    """The success of each attack on each model."""

    attacks: Sequence[str]
    """The plain prompt first, then by their mean success, the greatest first."""

    rows: Sequence[tuple[str, Sequence[AttackReport | None]]]
    """Each model with its reports, in the order of the attacks."""


@ROUTES.get("/runs/{run}/attacks")
@suggests_runs
async def show(request: web.Request) -> web.StreamResponse:
    """Show the report on the attacks of a run."""
    query, name, backend = Query.of(request), request.match_info["run"], request.app[BACKEND]
    query.finish()
    run, report = await asyncio.gather(
        backend.attempt(RunServiceStub, "GetRun", GetRunRequest(id=name)),
        backend.attempt(RankingServiceStub, "ReportAttacks", ReportAttacksRequest(run=name)),
    )
    values = {
        "run_id": name,
        "summary": summarize(run.value.run) if run.value else None,
        "report": report,
        "grid": build_grid(report.value.reports) if report.value else None,
        "plain": PLAIN,
        "legend": LEGEND,
        "tokens": lambda each: at_least(short_count(each.prompt_tokens + each.completion_tokens), each.unknown_usage),
        "cost": lambda each: at_least(f"${dollars(each.cost_usd)}", each.unknown_usage + each.unknown_price),
        "time": lambda each: short_duration(each.seconds),
        "broken_url": lambda each: verdicts_url(name, model=each.model, attack=each.attack, max_score="0.49"),
    }
    return render(request, "runs/attacks.html", values)


def at_least(text: str, unknown: int) -> str:
    """Return an amount, marked as a lower limit if that of some answers is not known; "-" if nothing is known."""
    if not unknown:
        return text
    return ABSENT if text.strip("$") == "0" else f"≥ {text}"


def build_grid(reports: Iterable[AttackReport]) -> AttackGrid:
    """Return the reports as a grid of models and attacks."""
    by_model: dict[str, dict[str, AttackReport]] = {}
    for report in reports:
        by_model.setdefault(report.model, {})[report.attack] = report
    attacks = sorted(
        {attack for found in by_model.values() for attack in found},
        key=lambda attack: (attack != PLAIN, -_mean_success(attack, by_model), attack),
    )
    return AttackGrid(attacks, [(model, [found.get(name) for name in attacks]) for model, found in by_model.items()])


def _mean_success(attack: str, by_model: Mapping[str, Mapping[str, AttackReport]]) -> float:
    known = [found[attack].success.value for found in by_model.values() if attack in found]
    return sum(known) / len(known) if known else 0.0
