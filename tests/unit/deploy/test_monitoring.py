"""Alerts, dashboards, runbook and code name the same metrics and the same alerts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from libra.process.settings import LISTEN
from libra.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[3]
MONITORING = ROOT / "deploy/monitoring"
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
RULES = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule}
CASES = [case for file in sorted(MONITORING.glob("*_test.yaml")) for case in yaml.safe_load(file.read_text())["tests"]]
SECTIONS = dict(re.findall(r"^### (Libra\w+)\n(.*?)(?=^#|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((MONITORING / "dashboards").glob("*.json"))}

ENDINGS = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
METRIC = re.compile(r"\blibra_\w+")


def declared_series() -> set[str]:
    """Return the name of every series that the code declares."""
    names: set[str] = set()
    for metric in vars(Metrics(CollectorRegistry())).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            names |= {family.name + ending for ending in ENDINGS[family.type]}
    return names


def panels(dashboard: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DASHBOARDS[dashboard]["panels"]
    return found


def queries(dashboard: str) -> list[str]:
    return [target["expr"] for panel in panels(dashboard) for target in panel.get("targets", [])]


class TestAlerts:
    @pytest.mark.parametrize("name", ALERTS)
    def test_an_alert_says_what_it_is_and_where_its_page_is(self, name: str) -> None:
        rule = ALERTS[name]
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
        assert rule["labels"]["severity"] in {"page", "ticket"}

    @pytest.mark.parametrize("name", ALERTS)
    def test_an_alert_is_tested_to_fire_and_to_be_silent(self, name: str) -> None:
        (case,) = [case for case in CASES if case["name"] == name]
        silent, firing = case["promql_expr_test"]
        assert silent["exp_samples"] == []
        assert name in str(firing["exp_samples"])

    def test_every_alert_has_a_section_and_every_section_an_alert(self) -> None:
        assert sorted(SECTIONS) == sorted(ALERTS)
        assert len(CASES) == len(ALERTS)

    @pytest.mark.parametrize("name", SECTIONS)
    def test_a_section_says_how_bad_it_is_how_to_look_and_what_to_do(self, name: str) -> None:
        text = SECTIONS[name]
        assert text.lstrip().startswith(f"*{ALERTS[name]['labels']['severity']}*")
        assert "**Look.**" in text
        assert "**Do.**" in text

    def test_the_rules_use_metrics_that_exist(self) -> None:
        text = "\n".join(rule["expr"] for group in RULES["groups"] for rule in group["rules"])
        assert set(METRIC.findall(text)) <= declared_series()

    def test_panels_that_the_runbook_names_exist(self) -> None:
        titles = {panel["title"] for name in DASHBOARDS for panel in panels(name)}
        titles |= {dashboard["title"] for dashboard in DASHBOARDS.values()}
        titles |= {title.removeprefix("Libra: ") for title in titles} | {"page", "ticket"}
        named = [" ".join(each.split()) for each in re.findall(r"(?<!\*)\*([^*`]+)\*(?!\*)", RUNBOOK)]
        assert [each for each in named if each not in titles] == []

    def test_the_annotations_of_an_inhibition_name_alerts(self) -> None:
        text = (MONITORING / "alertmanager.yml").read_text()
        assert set(re.findall(r"\bLibra\w+", text)) <= set(ALERTS)


@pytest.mark.parametrize("name", DASHBOARDS)
class TestDashboards:
    def test_ids_are_unique_and_the_file_is_named_for_the_dashboard(self, name: str) -> None:
        ids = [panel["id"] for panel in panels(name)]
        assert len(ids) == len(set(ids))
        assert DASHBOARDS[name]["uid"] == name
        assert "libra" in DASHBOARDS[name]["tags"]

    def test_every_panel_reads_from_the_chosen_data_source(self, name: str) -> None:
        (source, *_) = DASHBOARDS[name]["templating"]["list"]
        assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
        chosen = {"type": "prometheus", "uid": "${datasource}"}
        for panel in panels(name):
            for owner in [panel, *panel.get("targets", [])] if panel["type"] != "row" else []:
                assert owner["datasource"] == chosen

    def test_every_panel_is_explained_and_has_queries_and_a_unit(self, name: str) -> None:
        for panel in panels(name):
            if panel["type"] != "row":
                assert panel["title"]
                assert panel["description"].endswith(".")
                assert panel["targets"]
                assert panel["fieldConfig"]["defaults"]["unit"]

    def test_panels_do_not_overlap(self, name: str) -> None:
        taken: set[tuple[int, int]] = set()
        for panel in panels(name):
            at = panel["gridPos"]
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            assert not cells & taken
            assert at["x"] + at["w"] <= 24
            taken |= cells

    def test_queries_use_metrics_that_exist(self, name: str) -> None:
        assert set(METRIC.findall("\n".join(queries(name)))) <= declared_series()


def test_there_are_four_dashboards_and_together_they_show_every_metric() -> None:
    assert sorted(DASHBOARDS) == ["libra-models", "libra-overview", "libra-scores", "libra-servers"]
    shown = {name for dashboard in DASHBOARDS for query in queries(dashboard) for name in METRIC.findall(query)}
    shown = {re.sub("_(bucket|sum|count)$", "", name) for name in shown}
    declared = {re.sub("_(bucket|sum|count)$", "", name) for name in declared_series()}
    assert sorted(declared - shown) == []


def test_prometheus_scrapes_the_metrics_port_of_each_service() -> None:
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    scraped = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    ports = {service: LISTEN[service][1].rpartition(":")[2] for service in LISTEN}
    assert {f"libra-{service}": [f"{service}:{port}"] for service, port in ports.items()} == scraped


def test_compose_mounts_files_that_exist_and_pins_its_images() -> None:
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    for name in ("prometheus", "alertmanager", "grafana", "collector"):
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", services[name]["image"])
        mounted = [each.split(":")[0] for each in services[name]["volumes"] if each.startswith("./")]
        assert mounted
        assert [path for path in mounted if not (ROOT / "deploy" / path).exists()] == []


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return the objects that the component adds to an overlay, by kind."""
    folder = tmp_path_factory.mktemp("overlay")
    component = os.path.relpath(ROOT / "k8s/components/monitoring", folder.resolve())
    kustomization = {"kind": "Kustomization", "namespace": "libra", "components": [component]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    kubectl = Path(sysconfig.get_path("scripts")) / "kubectl"
    done = subprocess.run([str(kubectl), "kustomize", str(folder)], capture_output=True, check=True, timeout=60)
    return {one["kind"]: one for one in yaml.safe_load_all(done.stdout)}


class TestCluster:
    def test_the_rules_are_those_that_are_tested(self, rendered: dict[str, dict[str, Any]]) -> None:
        assert rendered["PrometheusRule"]["spec"] == RULES

    def test_the_dashboards_are_found_by_their_label(self, rendered: dict[str, dict[str, Any]]) -> None:
        found = rendered["ConfigMap"]
        assert found["metadata"]["labels"] == {"grafana_dashboard": "1"}
        assert {name: json.loads(text) for name, text in found["data"].items()} == {
            f"{name}.json": dashboard for name, dashboard in DASHBOARDS.items()
        }

    def test_each_pod_is_scraped_under_the_name_that_the_rules_expect(
        self, rendered: dict[str, dict[str, Any]]
    ) -> None:
        spec = rendered["PodMonitor"]["spec"]
        (endpoint,) = spec["podMetricsEndpoints"]
        assert spec["selector"]["matchLabels"] == {"app.kubernetes.io/part-of": "libra"}
        assert endpoint["port"] == "metrics"
        assert endpoint["relabelings"][0]["replacement"] == "libra-$1"
