"""The users of NATS and MongoDB have the rights that the code needs, and files with passwords are closed to others."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from deploy.users import files, nats
from deploy.users.mongodb import privileges
from deploy.users.permissions import ADMIN, BACKUP, DEAD, GRANTS, MONGO, NATS, PROBE, STREAMS

from libra.bus import streams, write_check
from libra.store import indexes
from libra.store.client import Store
from libra.store.documents.create_time import now
from libra.store.maintenance.retention.policy import RetentionPolicy
from libra.store.maintenance.schema.migrations import MIGRATIONS

from .kustomizations import ROOT
from .test_manifests import STAGES

SOURCE = ROOT / "services/libra"
CALL = re.compile(r"\bstore\.(\w+)\.(\w+)\(")
READ_COLLECTION = re.compile(r"database\[indexes\.(\w+)\]")
WRITING = re.compile(r"\.(insert|update|replace|delete|bulk_write|find_one_and)\w*\(")


def granted(service: str, action: str) -> set[str]:
    """Return the collections on which a service may do an action."""
    return {each["resource"]["collection"] for each in privileges(service, "libra") if action in each["actions"]} - {""}


def test_every_service_with_a_store_and_no_other_has_users() -> None:
    assert sorted(NATS) == sorted(MONGO) == sorted(STAGES)


def test_every_collection_is_written_by_a_service_and_every_name_is_a_collection() -> None:
    assert set().union(*(granted(service, "insert") for service in MONGO)) == set(indexes.declared())
    assert set().union(*(granted(service, "find") for service in MONGO)) == set(indexes.declared())


def test_dispatch_can_run_every_migration_and_remove_every_old_text() -> None:
    changed = {migration.collection for migration in MIGRATIONS}
    changed |= {rule.collection for rule in RetentionPolicy(1, 1, 1).rules(now())}
    assert changed <= granted("dispatch", "update")


@pytest.mark.parametrize("service", MONGO)
def test_a_service_may_do_what_its_calls_of_the_store_do(service: str) -> None:
    text = "\n".join(path.read_text() for path in sorted((SOURCE / service).rglob("*.py")))
    store = Store.connect("mongodb://127.0.0.1:1/")
    missing = set()
    for attribute, method in CALL.findall(text):
        cls = type(getattr(store, attribute))
        collections = {getattr(indexes, name) for name in READ_COLLECTION.findall(inspect.getsource(cls))}
        action = "update" if WRITING.search(source_of(cls, method)) else "find"
        missing |= {(attribute, method, action)} if collections - granted(service, action) else set()
    assert missing == set()


def source_of(cls: type[object], method: str) -> str:
    """Return the source of a method with that of the private methods that it calls."""
    text = inspect.getsource(getattr(cls, method))
    return text + "".join(
        inspect.getsource(getattr(cls, name)) for name in set(re.findall(r"self\.(_\w+)\(", text)) if hasattr(cls, name)
    )


class TestNats:
    def test_the_streams_are_those_of_the_code(self) -> None:
        consumers = {str(config.name): config.subjects for config in streams.WORK}
        assert {name: [subject.replace("*", ">")] for name, (_, subject) in STREAMS.items()} == consumers
        for consumer in (*streams.FIXED_CONSUMERS, streams.gateway_consumer("any")):
            name, subject = STREAMS[streams.stream_of(consumer)]
            assert name in (consumer, "*")
            assert subject.replace("*", "any") == streams.consumer_config(consumer).filter_subject
        assert (streams.DEAD.name, write_check.PROBE.name, f"KV_{streams.GRANTS}") == (DEAD, PROBE, GRANTS)

    def test_only_dispatch_creates_what_all_use_and_nobody_deletes_or_changes_a_stream(self) -> None:
        allowed = {service: nats.subjects(service, access)[0] for service, access in NATS.items()}
        creating = {
            service: [subject for subject in publish if ".STREAM.CREATE." in subject]
            for service, publish in allowed.items()
        }
        assert {service for service, found in creating.items() if found} == {"dispatch", "gateway"}
        assert creating["gateway"] == [f"$JS.API.STREAM.CREATE.{GRANTS}"]
        text = json.dumps(allowed)
        assert not re.search(r"STREAM\.(DELETE|UPDATE)|CONSUMER\.(DELETE|PAUSE|DURABLE)|\"(>|\*)\"", text)

    @pytest.mark.parametrize("service", NATS)
    def test_the_events_are_those_that_the_code_sends_and_hears(self, service: str) -> None:
        text = "\n".join(path.read_text() for path in sorted((SOURCE / service).rglob("*.py")))
        named = {f"event.{name}" for name in re.findall(r"\bevent_(run|board|votes|grants)\(", text)}
        access = NATS[service]
        assert named == {
            re.sub(r"\.\*$", "", subject)
            for subject in (*access.publishes, *access.listens)
            if subject.startswith("event.")
        }


class TestFiles:
    def test_files_have_random_passwords_that_stay_and_are_closed_to_others(self, tmp_path: Path) -> None:
        folder = tmp_path / "secrets"
        for nats_url in ("nats://one:4222,nats://two:4222", "nats://three:4222"):
            files.create(folder, nats_url, "mongodb://mongo:27017/?replicaSet=libra", "libra")
            passwords = files.read_passwords(folder)
            assert len({*passwords.values()}) == len(passwords) == len(NATS) + 2
            judge = files.read_variables(folder / "judge.env")
            assert judge == {
                "LIBRA_NATS_URL": ",".join(
                    f"nats://judge:{passwords['judge']}@{host}" for host in nats_url.replace("nats://", "").split(",")
                ),
                "LIBRA_MONGO_URL": f"mongodb://judge:{passwords['judge']}@mongo:27017/?replicaSet=libra&authSource=libra",
            }
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.glob("*.env")} == {0o600}
        assert "authSource=admin" in files.read_variables(folder / f"{ADMIN}.env")["LIBRA_MONGO_URL"]
        assert set(files.read_variables(folder / f"{BACKUP}.env")) == {"LIBRA_MONGO_URL"}

    @pytest.mark.parametrize("url", ["mongodb://a:1,b:2", "mongodb://a:1,b:2/", "mongodb+srv://a/?tls=true"])
    def test_the_users_are_looked_up_in_the_database_whatever_the_url_has(self, url: str) -> None:
        found = files.variables("judge", "p/?@", "nats://x", url, "libra")["LIBRA_MONGO_URL"]
        assert re.fullmatch(r"mongodb(\+srv)?://judge:p%2F%3F%40@a[^/]*/\?(tls=true&)?authSource=libra", found)

    def test_the_commands_print_what_a_cluster_takes(self, tmp_path: Path) -> None:
        run = [sys.executable, "-m", "deploy.users"]
        environ = {"PATH": os.defpath}
        subprocess.run([*run, "create", str(tmp_path / "s")], cwd=ROOT, env=environ, check=True, timeout=30)
        command = [*run, "kubernetes", str(tmp_path / "s"), "--namespace", "libra-dev"]
        done = subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True, timeout=30)
        names = {one["metadata"]["name"]: set(one["data"]) for one in yaml.safe_load(done.stdout)["items"]}
        assert names["libra-judge"] == {"LIBRA_NATS_URL", "LIBRA_MONGO_URL"}
        assert {"libra-nats-users", "libra-mongodb-users", "libra-backup", "libra-admin"} < set(names)

    def test_the_folder_of_the_guide_is_never_committed(self) -> None:
        done = subprocess.run(["git", "check-ignore", "deploy/secrets/judge.env"], cwd=ROOT, check=False, timeout=30)
        assert done.returncode == 0
