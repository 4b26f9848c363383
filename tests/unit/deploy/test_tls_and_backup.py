"""The components `tls`, `certificates` and `backup` agree with the code, and the script of the backup works."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from libra.local.servers import MongoServer
from libra.store.client import Store

from .kustomizations import render, render_component, select
from .test_manifests import HEALTH_PORT, SERVICES, STAGES, WEB, pod

TLS = render_component("tls")
CERTIFICATES = select(render_component("certificates"), "Certificate")


def container_of(service: str) -> dict[str, Any]:
    (found,) = select(TLS, "Deployment")[service]["spec"]["template"]["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("service", SERVICES)
class TestTls:
    def test_each_pod_mounts_its_own_certificate_where_the_settings_name_it(self, service: str) -> None:
        around = select(TLS, "Deployment")[service]["spec"]["template"]["spec"]
        (volume,) = [each for each in around["volumes"] if each["name"] == "tls"]
        (mount,) = [each for each in container_of(service)["volumeMounts"] if each["name"] == "tls"]
        assert volume["secret"]["secretName"] == f"libra-{service}-tls"
        assert mount["readOnly"]
        (shared,) = [
            one["data"]
            for name, one in select(TLS, "ConfigMap").items()
            if name.startswith("libra-") and "LIBRA_ALLOW_REMOTE" in one["data"]
        ]
        named = {name: Path(value) for name, value in shared.items() if name.startswith("LIBRA_TLS_")}
        assert {path.parent for path in named.values()} == {Path(mount["mountPath"])}
        assert {path.name for path in named.values()} == {"tls.crt", "tls.key", "ca.crt"}
        assert shared["LIBRA_ALLOW_REMOTE"] == "no"

    def test_probes_use_a_port_in_plain_text_that_the_service_listens_on(self, service: str) -> None:
        one = container_of(service)
        listen = {each["name"]: each.get("value") for each in one["env"]}.get(f"LIBRA_{service.upper()}_HEALTH_LISTEN")
        assert listen == (None if service == WEB else f"0.0.0.0:{HEALTH_PORT}")
        if service in STAGES:
            ports = {one[f"{name}Probe"]["grpc"]["port"] for name in ("startup", "readiness", "liveness")}
            assert ports == {HEALTH_PORT}

    def test_its_certificate_is_for_the_name_that_callers_use(self, service: str) -> None:
        spec = CERTIFICATES[f"libra-{service}"]["spec"]
        assert spec["secretName"] == f"libra-{service}-tls"
        assert {service, "localhost"} < set(spec["dnsNames"])
        assert {"server auth", "client auth"} < set(spec["usages"])
        assert CERTIFICATES["libra-operator"]["spec"]["issuerRef"] == spec["issuerRef"]


BACKUP = select(render_component("backup"), "CronJob")["backup"]["spec"]
POD = BACKUP["jobTemplate"]["spec"]["template"]["spec"]


class TestBackup:
    def test_it_can_do_nothing_but_its_work(self) -> None:
        around = pod("base", "dispatch")
        (one,) = POD["containers"]
        assert POD["securityContext"] == around["securityContext"]
        assert one["securityContext"] == around["containers"][0]["securityContext"]
        assert POD["automountServiceAccountToken"] is False
        assert one["image"].startswith("libra-dispatch")
        assert BACKUP["concurrencyPolicy"] == "Forbid"

    def test_it_may_reach_mongodb_wherever_that_is(self) -> None:
        labels = BACKUP["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
        policies = select(render("overlays/prod"), "NetworkPolicy")
        assert policies["backends"]["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        (rule,) = policies["mongodb-servers"]["spec"]["podSelector"]["matchExpressions"]
        assert labels[rule["key"]] in rule["values"]

    async def test_its_script_keeps_the_newest_files_of_a_real_database(
        self, tmp_path: Path, mongo_server: MongoServer, store: Store
    ) -> None:
        for name in ("libra-20200101T000000Z.zip", "libra-20200102T000000Z.zip", "libra-20200103T000000Z.zip.part"):
            (tmp_path / name).write_text("old")
        (one,) = POD["containers"]
        environ = {each["name"]: each["value"] for each in one["env"] if "value" in each} | {
            "BACKUPS": str(tmp_path),
            "KEEP": "2",
            "LIBRA_DATA": str(tmp_path / "data"),
            "LIBRA_MONGO_URL": mongo_server.url,
            "LIBRA_MONGO_DATABASE": store._database.name,
            "PATH": f"{sysconfig.get_path('scripts')}:{os.defpath}",
        }
        done = subprocess.run(
            [*one["command"], *one["args"]], env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        old, new = sorted(path.name for path in tmp_path.glob("*.zip*"))
        assert old == "libra-20200102T000000Z.zip"
        assert (tmp_path / new).stat().st_size > 1000
