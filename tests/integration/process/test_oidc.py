"""Callers with tokens of a real provider: which tokens are refused, and what happens while the provider is away."""

from __future__ import annotations

import asyncio
import base64
import hmac
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from joserfc.jwk import ECKey, Key, OKPKey
from prometheus_client import CollectorRegistry
from tests.integration.support.identity_provider import Provider, rsa_key, serving

from libra.core.errors import FailedPrecondition, LibraError, PermissionDenied, Unauthenticated, Unavailable
from libra.core.http import json_fetch
from libra.process.access import create_guard
from libra.process.settings import CommonSettings
from libra.rpc.access.oidc import key_cache
from libra.rpc.client import call, channel
from libra.rpc.credential_channel import Credentials
from libra.rpc.server import RpcServer
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.v1.run_pb2 import CancelRunRequest, CancelRunResponse, ListRunsRequest, ListRunsResponse
from libra.v1.run_pb2_grpc import RunServiceServicer, RunServiceStub, add_RunServiceServicer_to_server

SECRET = "planted-service-secret-0123456789abcdef"
SECONDS = 10.0


class Runs(RunServiceServicer):
    async def ListRuns(self, request: ListRunsRequest, context: Any) -> ListRunsResponse:
        return ListRunsResponse()

    async def CancelRun(self, request: CancelRunRequest, context: Any) -> CancelRunResponse:
        raise FailedPrecondition("the call was admitted")


class Service:
    """A server that accepts the provider's tokens."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def list_runs(self, token: str) -> None:
        async with channel(self.address, Credentials(token=lambda: token)) as opened:
            await call(RunServiceStub(opened).ListRuns, ListRunsRequest(), SECONDS)

    async def cancel(self, token: str) -> None:
        async with channel(self.address, Credentials(token=lambda: token)) as opened:
            await call(RunServiceStub(opened).CancelRun, CancelRunRequest(id="r1"), SECONDS)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with serving(Provider()) as started:
        started.add_key("one")
        yield started


@asynccontextmanager
async def service(store: Store, folder: Path, issuer: str, **fields: str) -> AsyncIterator[Service]:
    secret = folder / "service"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    given = {"access": "tokens", "service_token_file": str(secret), "oidc_issuer": issuer, "oidc_audience": "libra"}
    given |= {"oidc_roles": "libra-admins=admin,ml=runner,staff=reader"} | fields
    settings = replace(CommonSettings(), **given)  # type: ignore[arg-type]  # the fields differ in type
    runs = Runs()  # type: ignore[abstract]  # other methods are UNIMPLEMENTED
    served = [(add_RunServiceServicer_to_server, runs, "libra.v1.RunService")]
    server = RpcServer(served, Metrics(CollectorRegistry()), create_guard(settings, store))
    port = await server.start("127.0.0.1:0")
    await server.set_ready(ready=True)
    try:
        yield Service(f"127.0.0.1:{port}")
    finally:
        await server.stop(0)


@pytest.fixture
async def libra(store: Store, tmp_path: Path, provider: Provider) -> AsyncIterator[Service]:
    async with service(store, tmp_path, provider.issuer) as started:
        yield started


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read keys again as often as a token names an unknown one."""
    monkeypatch.setattr(key_cache, "REFRESH_SECONDS", 0.0)


async def test_the_audit_log_names_issuer_and_subject(libra: Service, provider: Provider, store: Store) -> None:
    token = provider.token()
    await libra.list_runs(token)
    with pytest.raises(FailedPrecondition, match="admitted"):
        await libra.cancel(token)
    with pytest.raises(PermissionDenied, match="has the role reader"):
        await libra.cancel(provider.token(groups=["staff"]))
    with pytest.raises(PermissionDenied, match="has the role none"):
        await libra.list_runs(provider.token(groups=["others"]))
    with pytest.raises(PermissionDenied, match="has the role none"):
        await libra.cancel(provider.token(groups=None))
    entries = await store.audit_log.list(after_seq=0, limit=10)
    assert [(entry.result, entry.role) for entry in entries] == [
        ("STARTED", "runner"), ("FAILED_PRECONDITION", "runner"), ("PERMISSION_DENIED", "reader"),
        ("PERMISSION_DENIED", "none"),
    ]  # fmt: skip
    assert {entry.caller for entry in entries} == {f"oidc:{provider.issuer}#alice"}


@pytest.mark.parametrize("algorithm", ["RS256", "PS384", "ES512", "Ed25519", "EdDSA"])
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_each_kind_of_key_is_accepted(libra: Service, provider: Provider, algorithm: str) -> None:
    keys: dict[str, Callable[[], Key]] = {"R": rsa_key, "P": rsa_key, "E": lambda: OKPKey.generate_key("Ed25519")}
    key = ECKey.generate_key("P-521") if algorithm == "ES512" else keys[algorithm[0]]()
    provider.add_key("two", key)
    await libra.list_runs(provider.token("two", algorithm))


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def forged_tokens(provider: Provider) -> dict[str, str]:
    """Return tokens that must be refused, by the end of the message."""
    now, other, rsa = int(time.time()), ECKey.generate_key("P-256"), rsa_key()
    provider.add_key("rsa", rsa)
    provider.keys["curve"] = ECKey.generate_key("P-384")
    valid = provider.token()
    header, payload, signature = valid.split(".")
    changed, no_signature = encoded(b'{"sub":"eve"}'), encoded(b'{"alg":"none","kid":"one"}')
    symmetric, published = encoded(b'{"alg":"HS256","kid":"rsa"}'), rsa.as_pem(private=False)
    mac = hmac.digest(published, f"{symmetric}.{payload}".encode(), "sha256")
    return {
        "other key": provider.sign({"alg": "ES256", "kid": "one"}, other),
        "changed claims": f"{header}.{changed}.{signature}",
        "cut": valid[:-8],
        "no signature": f"{header}.{payload}.",
        "alg none": f"{no_signature}.{payload}.",
        "alg none with a signature": f"{no_signature}.{payload}.{signature}",
        "HS256 with the public key": f"{symmetric}.{payload}.{encoded(mac)}",
        "key of another type": provider.sign({"alg": "ES256", "kid": "rsa"}, other),
        "unknown kid": provider.sign({"alg": "ES256", "kid": "three"}, other),
        "no kid": provider.sign({"alg": "ES256"}, provider.keys["one"]),
        "key in the header": provider.sign(
            {"alg": "ES256", "kid": "four", "jwk": other.as_dict(private=False)}, other
        ),
        "critical header": provider.sign(
            {"alg": "ES256", "kid": "one", "b64": True, "crit": ["b64"]}, provider.keys["one"]
        ),
        "expired": provider.token(exp=now - 31),
        "no expiry": provider.token(exp=None),
        "expiry is no number": provider.token(exp=str(now + 300)),
        "endless": provider.token(exp=float("nan")),
        "not yet valid": provider.token(nbf=now + 60),
        "issued later": provider.token(iat=now + 60),
        "wrong audience": provider.token(aud="other"),
        "wrong audiences": provider.token(aud=["other", "libra2"]),
        "no audience": provider.token(aud=None),
        "wrong issuer": provider.token(iss=f"{provider.issuer}/"),
        "no subject": provider.token(sub=None),
        "subject with a line break": provider.token(sub="alice\nadmin"),
        "deep header": f"{encoded(b'[' * 3000)}.{payload}.{signature}",
        "garbage": "a.b.c",
        "too long": f"{header}.{payload}{'x' * 25_000}.{signature}",
    }  # fmt: skip


async def test_forged_and_foreign_tokens_are_refused(
    libra: Service, provider: Provider, capfd: pytest.CaptureFixture[str], store: Store
) -> None:
    await libra.list_runs(provider.token())
    errors, forged = {}, forged_tokens(provider)
    for name, token in forged.items():
        try:
            await libra.list_runs(token)
        except LibraError as error:
            errors[name] = error
    assert {name: type(error) for name, error in errors.items()} == dict.fromkeys(forged, Unauthenticated)
    output = capfd.readouterr()
    written = output.out + output.err + "".join(map(str, errors.values()))
    assert [name for name, token in forged.items() if token in written or token.split(".")[1] in written] == ["garbage"]
    assert await store.audit_log.list(after_seq=0, limit=10) == []


async def test_a_token_within_the_leeway_is_accepted(libra: Service, provider: Provider) -> None:
    now = int(time.time())
    await libra.list_runs(provider.token(exp=now - 5, nbf=now + 5, iat=now + 5, aud=["other", "libra"]))


async def test_a_jwt_is_an_unknown_token_without_a_provider(store: Store, tmp_path: Path, provider: Provider) -> None:
    off = {"oidc_audience": "", "oidc_roles": ""}
    async with service(store, tmp_path, "", **off) as libra:
        with pytest.raises(Unauthenticated, match="the token is unknown"):
            await libra.list_runs(provider.token())


@pytest.mark.usefixtures("at_once")
async def test_rotated_keys_are_read_without_a_restart(
    libra: Service, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = provider.token()
    await libra.list_runs(old)
    del provider.keys["one"]
    provider.add_key("two")
    await libra.list_runs(provider.token("two"))
    with pytest.raises(Unauthenticated, match="does not publish"):
        await libra.list_runs(old)
    # A withdrawn key is noticed also if no token names a new one.
    monkeypatch.setattr(key_cache, "MAX_AGE_SECONDS", 0.0)
    current = provider.token("two")
    provider.keys = {"three": ECKey.generate_key("P-256")}
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                await libra.list_runs(current)
            except Unauthenticated:
                break


async def test_a_flood_of_unknown_keys_causes_one_fetch(libra: Service, provider: Provider) -> None:
    other = ECKey.generate_key("P-256")
    await libra.list_runs(provider.token())
    forged = [provider.sign({"alg": "ES256", "kid": f"k{number}"}, other) for number in range(200)]
    results = await asyncio.gather(*(libra.list_runs(token) for token in forged), return_exceptions=True)
    assert {type(result) for result in results} == {Unauthenticated}
    assert provider.fetches == 1
    await libra.list_runs(provider.token())


@pytest.mark.usefixtures("at_once")
async def test_calls_that_come_together_share_one_fetch(libra: Service, provider: Provider) -> None:
    token = provider.token()
    await asyncio.gather(*(libra.list_runs(token) for _ in range(20)))
    assert provider.fetches == 1


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 302}, {"body": b"no json"}, {"body": b"[" * 100_000}, {"body": b" " * 600_000},
     {"body": b'{"keys": []}'}, {"discovered_issuer": "https://evil.example"}, {"is_slow": True}],
    ids=["error", "redirect", "no_json", "nested", "large", "empty", "other_issuer", "slow"],
)  # fmt: skip
async def test_known_keys_stay_while_the_provider_fails(
    libra: Service, provider: Provider, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_fetch, "TIMEOUT_SECONDS", 0.3)
    await libra.list_runs(provider.token())
    for name, value in fault.items():
        setattr(provider, name, value)
    provider.add_key("two")
    with pytest.raises(Unavailable, match="the keys of the identity provider cannot be read"):
        await libra.list_runs(provider.token("two"))
    await libra.list_runs(provider.token())


@pytest.mark.usefixtures("at_once")
async def test_a_service_starts_while_the_provider_is_down(store: Store, tmp_path: Path, provider: Provider) -> None:
    gone = Provider()
    async with serving(gone):
        gone.add_key("one")
    port = int(gone.issuer.rpartition(":")[2])
    async with service(store, tmp_path, gone.issuer) as libra:
        with pytest.raises(Unavailable):
            await libra.list_runs(gone.token())
        async with serving(gone, port=port):
            await libra.list_runs(gone.token())
        await libra.list_runs(gone.token())


@pytest.mark.parametrize(
    ("claim", "value"),
    [("realm_access.roles", {"realm_access": {"roles": ["x", "libra-admins"]}}),
     ("scope", {"scope": "openid libra-admins"}),
     ("https://libra.example/roles", {"https://libra.example/roles": ["libra-admins"]})],
    ids=["nested", "words", "url"],
)  # fmt: skip
async def test_roles_and_teams_are_read_from_the_claims_of_the_settings(
    store: Store, tmp_path: Path, provider: Provider, claim: str, value: dict[str, Any]
) -> None:
    async with service(store, tmp_path, provider.issuer, oidc_role_claim=claim, oidc_team_claim="dept") as libra:
        with pytest.raises(FailedPrecondition):
            await libra.cancel(provider.token(dept="safety", **value))
        for team in (None, "", "Safety Team", ["a", "b"], 7):
            with pytest.raises(Unauthenticated, match="the claim dept of the token must be one team"):
                await libra.cancel(provider.token(dept=team, **value))
    entry = (await store.audit_log.list(after_seq=0, limit=10))[-1]
    assert (entry.role, entry.team) == ("admin", "safety")


async def test_the_certificate_of_the_provider_is_checked(store: Store, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with serving(Provider(), tls) as provider:
        provider.add_key("one")
        async with service(store, tmp_path, provider.issuer, oidc_ca_file=str(tmp_path / "ca.pem")) as libra:
            await libra.list_runs(provider.token())
        async with service(store, tmp_path, provider.issuer) as libra:
            with pytest.raises(Unavailable):
                await libra.list_runs(provider.token())
