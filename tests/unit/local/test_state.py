from __future__ import annotations

import socket
from pathlib import Path

import pytest

from libra.local import state
from libra.local.free_ports import FIRST_PORT, LAST_PORT, choose, is_free
from libra.local.topology import HOST, PARTS, SERVICES, part_names, service_environment, service_of


def test_a_part_keeps_its_ports(tmp_path: Path) -> None:
    first = state.assign_ports(tmp_path, [])
    assert list(first) == list(PARTS)
    assert all(ports.metrics for name, ports in first.items() if name in SERVICES)
    assert state.load(tmp_path) == first
    assert state.assign_ports(tmp_path, []) == first
    assert state.assign_ports(tmp_path, ["judge", "mongod"]) == first


def test_a_part_gets_new_ports_if_another_program_uses_them_and_no_part_runs(tmp_path: Path) -> None:
    first = state.assign_ports(tmp_path, [])
    with socket.create_server((HOST, first["judge"].main)):
        # While judge runs, it is the process that listens.
        assert state.assign_ports(tmp_path, ["judge"]) == first
        with pytest.raises(state.InvalidState, match="the address of judge: run `libra down`"):
            state.assign_ports(tmp_path, ["gateway"])
        moved = state.assign_ports(tmp_path, [])
    assert moved["judge"] != first["judge"]
    assert {**moved, "judge": first["judge"]} == first


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ports": {"judge": 3}}', '{"ports": {"judge": {"main": "x"}}}'])
def test_the_error_for_a_damaged_file_says_to_delete_it(tmp_path: Path, text: str) -> None:
    (tmp_path / state.FILE).write_text(text)
    with pytest.raises(state.InvalidState, match="delete the file"):
        state.load(tmp_path)


def test_a_missing_file_is_an_error_while_parts_run(tmp_path: Path) -> None:
    with pytest.raises(state.InvalidState, match="ranking runs, but"):
        state.assign_ports(tmp_path, ["ranking"])


def test_free_ports_differ_and_are_outside_the_range_for_outgoing_connections() -> None:
    ports = choose(20)
    assert len(set(ports)) == 20
    assert FIRST_PORT <= min(ports) <= max(ports) <= LAST_PORT < 32_768
    assert is_free(ports[0])
    with socket.create_server((HOST, ports[0])):
        assert not is_free(ports[0])


def test_a_service_gets_its_own_addresses_and_those_of_the_services_that_it_calls(tmp_path: Path) -> None:
    ports = state.assign_ports(tmp_path, [])
    variables = service_environment("judge", ports, nats_url="nats://n", mongo_url="mongodb://m")
    assert (variables["LIBRA_NATS_URL"], variables["LIBRA_MONGO_URL"]) == ("nats://n", "mongodb://m")
    assert variables["LIBRA_JUDGE_LISTEN"] == ports["judge"].address
    assert variables["LIBRA_JUDGE_METRICS_LISTEN"] == f"{HOST}:{ports['judge'].metrics}"
    assert variables["LIBRA_JUDGE_GATEWAY_ADDRESS"] == f"ipv4:{ports['gateway'].address}"


def test_each_replica_is_a_part_and_clients_get_the_addresses_of_all(tmp_path: Path) -> None:
    parts = part_names({"gateway": 2, "judge": 3})
    assert set(parts) == {*PARTS, "gateway-2", "judge-2", "judge-3"}
    assert [service_of(name) for name in ("gateway-2", "gateway", "mongod")] == ["gateway", "gateway", "mongod"]
    one = state.assign_ports(tmp_path, [])
    ports = state.assign_ports(tmp_path, ["mongod"], parts)
    assert ports.items() >= one.items()
    variables = service_environment("judge-2", ports, nats_url="nats://n", mongo_url="mongodb://m")
    assert variables["LIBRA_JUDGE_LISTEN"] == ports["judge-2"].address
    both = (ports["gateway"].address, ports["gateway-2"].address)
    assert variables["LIBRA_JUDGE_GATEWAY_ADDRESS"] == "ipv4:{},{}".format(*both)
    with pytest.raises(state.InvalidState, match="judge-3 runs, but is not among the requested parts"):
        state.assign_ports(tmp_path, ["judge-3"], part_names({"judge": 2}))
