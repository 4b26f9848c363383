"""/metrics over TLS, read by a real client, with certificates that are replaced while the server runs."""

from __future__ import annotations

import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from prometheus_client import CollectorRegistry, Counter

from libra.core.settings import InvalidSettings
from libra.process.lifecycle import start_metrics
from libra.process.settings import CommonSettings
from libra.telemetry.metrics_server import MAX_CONNECTIONS


def write(folder: Path, authority: trustme.CA) -> None:
    leaf = authority.issue_cert("127.0.0.1")
    for name, content in {
        "ca.pem": authority.cert_pem.bytes(),
        "cert.pem": leaf.cert_chain_pems[0].bytes(),
        "key.pem": leaf.private_key_pem.bytes(),
    }.items():
        (folder / "new").write_bytes(content)
        (folder / "new").replace(folder / name)


@contextmanager
def serving(folder: Path, *, mutual: bool = False) -> Iterator[int]:
    """Serve the metrics of a process with the files of the folder; yield the port."""
    files = {"tls_cert_file": str(folder / "cert.pem"), "tls_key_file": str(folder / "key.pem")}
    settings = replace(CommonSettings(), metrics_listen="127.0.0.1:0", metrics_tls="on", **files)  # type: ignore[arg-type]  # the fields differ
    if mutual:
        settings = replace(settings, tls_client_ca_file=str(folder / "ca.pem"))
    registry = CollectorRegistry()
    Counter("things", "Things.", registry=registry).inc(3)
    server = start_metrics(registry, settings)
    try:
        yield server.port
    finally:
        server.stop()


def scrape(port: int, folder: Path, *, shows_certificate: bool = False) -> str:
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if shows_certificate:
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with urllib.request.urlopen(f"https://127.0.0.1:{port}/metrics", timeout=10, context=context) as response:
        return str(response.read().decode())


def test_metrics_are_served_over_tls_only(tmp_path: Path) -> None:
    write(tmp_path, trustme.CA())
    with serving(tmp_path) as port:
        assert "things_total 3.0" in scrape(port, tmp_path)
        with pytest.raises(OSError, match=r"reset|closed|without"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(
                f"https://127.0.0.1:{port}/", timeout=10, context=ssl.create_default_context(cafile=tmp_path / "ca.pem")
            )


def test_with_mutual_tls_a_scraper_needs_a_certificate(tmp_path: Path) -> None:
    write(tmp_path, trustme.CA())
    with serving(tmp_path, mutual=True) as port:
        assert "things_total 3.0" in scrape(port, tmp_path, shows_certificate=True)
        with pytest.raises(OSError, match=r"(?i)certificate required|reset|closed|EOF"):
            scrape(port, tmp_path)


def test_replaced_certificates_are_used_without_a_restart(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    first = trustme.CA()
    write(tmp_path, first)
    first.cert_pem.write_to_path(old / "ca.pem")
    with serving(tmp_path) as port:
        scrape(port, old)
        write(tmp_path, trustme.CA())
        assert "things_total 3.0" in scrape(port, tmp_path)
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            scrape(port, old)
        (tmp_path / "key.pem").write_text("no key yet")
        assert "things_total 3.0" in scrape(port, tmp_path)


def test_clients_that_do_not_shake_hands_do_not_block_others(tmp_path: Path) -> None:
    write(tmp_path, trustme.CA())
    with serving(tmp_path) as port:
        silent = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(MAX_CONNECTIONS - 1)]
        assert "things_total 3.0" in scrape(port, tmp_path)
        for client in silent:
            client.close()


@pytest.mark.parametrize("files", [{}, {"tls_cert_file": "/no/cert.pem", "tls_key_file": "/no/key.pem"}])
def test_tls_without_a_certificate_is_refused(files: dict[str, str]) -> None:
    settings = replace(CommonSettings(), metrics_listen="127.0.0.1:0", metrics_tls="on", **files)  # type: ignore[arg-type]  # the fields differ
    with pytest.raises(InvalidSettings, match=r"cert\.pem|LIBRA_TLS_CERT_FILE"):
        start_metrics(CollectorRegistry(), settings)
