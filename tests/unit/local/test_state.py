from __future__ import annotations

import socket
from pathlib import Path

import pytest

from libra.local import state
from libra.local.free_ports import FIRST, LAST, choose, free
from libra.local.topology import HOST, PARTS, SERVICES, environment, kind, names


def test_a_part_has_its_ports_again(tmp_path: Path) -> None:
    first = state.settle(tmp_path, [])
    assert list(first) == list(PARTS)
    assert all(ports.metrics for name, ports in first.items() if name in SERVICES)
    assert state.load(tmp_path) == first
    assert state.settle(tmp_path, []) == first
    assert state.settle(tmp_path, ["judge", "mongod"]) == first


def test_a_port_that_somebody_else_took_is_given_up_while_nothing_runs(tmp_path: Path) -> None:
    first = state.settle(tmp_path, [])
    with socket.create_server((HOST, first["judge"].main)):
        # The judge itself listens there while it runs.
        assert state.settle(tmp_path, ["judge"]) == first
        with pytest.raises(state.BadState, match="where judge was: run `libra down`"):
            state.settle(tmp_path, ["gateway"])
        moved = state.settle(tmp_path, [])
    assert moved["judge"] != first["judge"]
    assert {**moved, "judge": first["judge"]} == first


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ports": {"judge": 3}}', '{"ports": {"judge": {"main": "x"}}}'])
def test_a_file_that_is_not_ours_is_said_to_be_so(tmp_path: Path, text: str) -> None:
    (tmp_path / state.FILE).write_text(text)
    with pytest.raises(state.BadState, match="delete the file"):
        state.load(tmp_path)


def test_a_file_that_is_gone_while_parts_run_is_no_reason_to_guess(tmp_path: Path) -> None:
    with pytest.raises(state.BadState, match="ranking runs, but"):
        state.settle(tmp_path, ["ranking"])


def test_free_ports_differ_and_are_not_handed_out_to_outgoing_connections() -> None:
    ports = choose(20)
    assert len(set(ports)) == 20
    assert FIRST <= min(ports) <= max(ports) <= LAST < 32_768
    assert free(ports[0])
    with socket.create_server((HOST, ports[0])):
        assert not free(ports[0])


def test_every_service_is_told_where_it_listens_and_where_the_others_are(tmp_path: Path) -> None:
    ports = state.settle(tmp_path, [])
    told = environment("judge", ports, nats_url="nats://n", mongo_url="mongodb://m")
    assert (told["LIBRA_NATS_URL"], told["LIBRA_MONGO_URL"]) == ("nats://n", "mongodb://m")
    assert told["LIBRA_JUDGE_LISTEN"] == ports["judge"].address
    assert told["LIBRA_JUDGE_METRICS_LISTEN"] == f"{HOST}:{ports['judge'].metrics}"
    assert told["LIBRA_JUDGE_GATEWAY_ADDRESS"] == f"ipv4:{ports['gateway'].address}"


def test_replicas_are_parts_of_their_own_and_one_service_to_the_others(tmp_path: Path) -> None:
    wanted = names({"gateway": 2, "judge": 3})
    assert set(wanted) == {*PARTS, "gateway-2", "judge-2", "judge-3"}
    assert [kind(name) for name in ("gateway-2", "gateway", "nats-server")] == ["gateway", "gateway", "nats-server"]
    one = state.settle(tmp_path, [])
    ports = state.settle(tmp_path, ["mongod"], wanted)
    assert ports.items() >= one.items()
    told = environment("judge-2", ports, nats_url="nats://n", mongo_url="mongodb://m")
    assert told["LIBRA_JUDGE_LISTEN"] == ports["judge-2"].address
    both = (ports["gateway"].address, ports["gateway-2"].address)
    assert told["LIBRA_JUDGE_GATEWAY_ADDRESS"] == "ipv4:{},{}".format(*both)
    with pytest.raises(state.BadState, match="judge-3 runs, but is not asked for"):
        state.settle(tmp_path, ["judge-3"], names({"judge": 2}))
