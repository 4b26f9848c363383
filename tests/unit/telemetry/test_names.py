"""Telemetry names follow their conventions, and every declared name is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from libra.telemetry import spans
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics, process_registry

SOURCE = Path(__file__).parents[3] / "services" / "libra"
TEXT = "\n".join(
    path.read_text()
    for path in sorted(SOURCE.rglob("*.py"))
    if path.relative_to(SOURCE).parts[0] not in {"v1", "telemetry"}
)
METRICS = {k: v for k, v in vars(Metrics(CollectorRegistry())).items() if isinstance(v, MetricWrapperBase)}
SPANS = {name: value for name, value in vars(spans).items() if name.isupper()}
LABELS = set(
    """
    cause code consumer dependency judge kind law method model outcome page parameter python reason response result
    service stage status stream version
    """.split()  # noqa: SIM905 - a list of words reads best as text
)
"""Every label that a metric may have. Each has few values: what is registered, or what the code names."""
GAUGE_ENDINGS = ("_timestamp_seconds", "_age_seconds", "behind_seconds")
"""Endings of the gauges that are times; every other metric in seconds is a histogram."""


@pytest.mark.parametrize("action", list(Action))
def test_an_action_is_a_noun_and_a_participle(action: Action) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", action.value)
    assert action.value == action.name.lower()


@pytest.mark.parametrize("action", list(Action))
def test_an_action_is_logged_somewhere(action: Action) -> None:
    assert re.search(rf"\bAction\.{action.name}\b", TEXT)


def test_log_calls_use_declared_actions_only() -> None:
    assert re.findall(r"\baction=[\"']", TEXT) == []


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_named_for_its_attribute(name: str) -> None:
    (metric,) = METRICS[name].describe()
    assert metric.name == f"libra_{name}"
    assert metric.documentation.endswith(".")
    is_time = name.endswith("_seconds") and not name.endswith(GAUGE_ENDINGS)
    assert (metric.type == "histogram") == is_time
    assert set(METRICS[name]._labelnames) <= LABELS


def test_every_allowed_label_is_in_use() -> None:
    assert {label for metric in METRICS.values() for label in metric._labelnames} == LABELS


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_used_somewhere(name: str) -> None:
    assert re.search(rf"metrics\s*\.{name}\b", TEXT)


@pytest.mark.parametrize("name", SPANS)
def test_a_span_names_its_package_and_operation_and_is_used(name: str) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+", SPANS[name])
    assert SPANS[name] == name.lower().replace("_", ".")
    assert re.search(rf"\bspans\.{name}\b", TEXT)


def test_spans_use_declared_names_only() -> None:
    assert re.findall(r"start_(?:as_current_)?span\(\s*f?[\"']", TEXT) == []


def test_the_metrics_can_be_registered_with_those_of_the_process() -> None:
    registry = process_registry()
    Metrics(registry)
    names = {metric.name for metric in registry.collect()}
    assert {"process_cpu_seconds", "python_gc_collections", "libra_ready"} <= names
