"""Each component of the cluster's manifests is sound alone, and agrees with the code."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from prometheus_client import CollectorRegistry

from libra.attack.settings import Settings as AttackSettings
from libra.bus import streams
from libra.gateway.limits.request_budget import DEFAULT_IN_FLIGHT
from libra.gateway.stage import policy
from libra.judge.settings import Settings as JudgeSettings
from libra.ranking.settings import Settings as RankingSettings
from libra.telemetry.metrics import Metrics

from .kustomizations import COMPONENTS, ROOT, Objects, render, render_component, select
from .test_manifests import SERVICES, variables

SCHEMA = json.loads((ROOT / "tests/data/keda/scaled_object.schema.json").read_text())
GATEWAY_CONSUMER = streams.gateway_consumer("any")
HELD = {
    streams.ATTACK_CONSUMER: AttackSettings().slots,
    streams.WRITING_CONSUMER: AttackSettings().writing_slots,
    streams.JUDGE_CONSUMER: JudgeSettings().slots,
    streams.RANKING_CONSUMER: RankingSettings().slots,
    GATEWAY_CONSUMER: policy(DEFAULT_IN_FLIGHT, worst_seconds=1.0, drain_seconds=1.0).slots,
}
"""The batches of each consumer that one pod handles at once."""

RENDERED = [*(f"components/{name}" for name in COMPONENTS), "overlays/dev", "overlays/prod"]


def objects_of(place: str) -> Objects:
    """Return the objects of an overlay, or of the base with one component."""
    folder, _, name = place.partition("/")
    return render_component(name) if folder == "components" else render(place)


def autoscalers(objects: Objects) -> list[dict[str, Any]]:
    return [one for kind in ("ScaledObject", "HorizontalPodAutoscaler") for one in select(objects, kind).values()]


@pytest.mark.parametrize("place", RENDERED)
class TestEachPlace:
    def test_what_is_scaled_has_no_fixed_number_of_pods_and_one_autoscaler(self, place: str) -> None:
        objects = objects_of(place)
        deployments = select(objects, "Deployment")
        targets = [one["spec"]["scaleTargetRef"]["name"] for one in autoscalers(objects)]
        assert len(set(targets)) == len(targets)
        assert not [name for name in targets if "replicas" in deployments[name]["spec"]]

    def test_a_custom_object_has_only_fields_that_keda_knows(self, place: str) -> None:
        for one in select(objects_of(place), "ScaledObject").values():
            jsonschema.validate(one, SCHEMA)

    def test_every_variable_exists(self, place: str) -> None:
        objects = objects_of(place)
        shared = {
            variable
            for name, one in select(objects, "ConfigMap").items()
            if name.startswith("libra") and not one["metadata"].get("labels", {}).get("grafana_dashboard")
            for variable in one["data"]
        }
        assert shared <= {variable for service in SERVICES for variable in variables(service)}
        for service in SERVICES:
            (container,) = select(objects, "Deployment")[service]["spec"]["template"]["spec"]["containers"]
            assert {one["name"] for one in container["env"]} <= set(variables(service))

    def test_every_secret_that_must_exist_is_in_the_guide(self, place: str) -> None:
        text = json.dumps([one for one in objects_of(place) if one["kind"] != "Secret"])
        found = set(re.findall(r'"secret(?:Name|KeyRef)": (?:\{[^}]*"name": )?"([a-z-]+?)(?:-[a-z0-9]{10})?"', text))
        guide = (ROOT / "docs/deploy.md").read_text()
        assert {name for name in found if f"generic {name}" not in guide} == set()


def prometheus_triggers(objects: Objects) -> list[tuple[str, dict[str, str]]]:
    """Return the target and the metadata of each trigger that asks Prometheus."""
    return [
        (one["metadata"]["namespace"], trigger["metadata"])
        for one in select(objects, "ScaledObject").values()
        for trigger in one["spec"]["triggers"]
        if trigger["type"] == "prometheus"
    ]


TRIGGERS = prometheus_triggers(render_component("keda"))


class TestScaling:
    def test_a_threshold_is_what_one_pod_holds(self) -> None:
        found = {}
        for _, metadata in TRIGGERS:
            for consumer in re.findall(r'libra_backlog\{[^}]*consumer=~?"([^"]+)"', metadata["query"]):
                found[consumer.replace(".+", "any")] = int(metadata["threshold"])
        assert found == HELD

    def test_batches_that_wait_and_batches_in_hand_both_count(self) -> None:
        for _, metadata in TRIGGERS:
            waiting, handled = (re.findall(rf"{name}(\{{[^}}]*\}})", metadata["query"]) for name in METRICS)
            assert waiting == handled

    def test_one_model_never_asks_for_more_than_one_gateway(self) -> None:
        (query,) = [each["query"] for _, each in TRIGGERS if "gateway-.+" in each["query"]]
        assert re.findall(r"clamp_max\(.*?, (\d+)\)", query) == [str(HELD[GATEWAY_CONSUMER])]

    def test_there_are_no_more_gateways_than_permits_of_a_model_without_limits(self) -> None:
        spec = select(render_component("keda"), "ScaledObject")["gateway"]["spec"]
        assert spec["maxReplicaCount"] == DEFAULT_IN_FLIGHT

    def test_only_a_stage_without_callers_while_idle_has_no_pod(self) -> None:
        lowest = {
            name: one["spec"]["minReplicaCount"]
            for name, one in select(render_component("keda"), "ScaledObject").items()
        }
        assert lowest == {"attack": 1, "gateway": 0, "judge": 1, "ranking": 1}

    def test_the_fallback_is_one_that_keda_accepts(self) -> None:
        for one in select(render_component("keda"), "ScaledObject").values():
            spec = one["spec"]
            assert any(trigger["metricType"] == "AverageValue" for trigger in spec["triggers"])
            assert spec["fallback"]["replicas"] <= spec["maxReplicaCount"]

    def test_a_query_names_metrics_of_the_code_with_their_labels(self) -> None:
        registry = CollectorRegistry()
        metrics = Metrics(registry)
        known = {
            "libra_backlog": metrics.backlog._labelnames,
            "libra_ack_pending": metrics.ack_pending._labelnames,
            "libra_ready": metrics.ready._labelnames,
            "libra_runs_active": metrics.runs_active._labelnames,
        }
        assert set(known) <= {family.name for family in registry.collect()}
        for _, metadata in TRIGGERS:
            for name, selector in re.findall(r"(libra_\w+)\{([^}]*)\}", metadata["query"]):
                labels = re.findall(r"(\w+)=", selector)
                assert set(labels) == {"namespace", *known[name]}

    @pytest.mark.parametrize("place", ["components/keda", "overlays/prod"])
    def test_a_query_selects_the_series_of_its_own_namespace(self, place: str) -> None:
        triggers = prometheus_triggers(objects_of(place))
        assert triggers
        for namespace, metadata in triggers:
            assert set(re.findall(r'namespace="([^"]*)"', metadata["query"])) == {namespace}


METRICS = ("libra_backlog", "libra_ack_pending")


def test_in_production_what_no_autoscaler_scales_has_two_pods() -> None:
    objects = render("overlays/prod")
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in autoscalers(objects)}
    fixed = {name: one["spec"].get("replicas") for name, one in select(objects, "Deployment").items()}
    assert {name: count for name, count in fixed.items() if name not in scaled} == dict.fromkeys(
        set(SERVICES) - scaled, 2
    )


def test_pods_of_web_share_one_key_where_there_are_two() -> None:
    (container,) = select(render("overlays/prod"), "Deployment")["web"]["spec"]["template"]["spec"]["containers"]
    (path,) = [one["value"] for one in container["env"] if one["name"] == "LIBRA_WEB_KEY_FILE"]
    assert path.rpartition("/")[0] in {mount["mountPath"] for mount in container["volumeMounts"]}
