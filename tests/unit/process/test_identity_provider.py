"""The settings of an identity provider: incomplete and insecure ones are refused, and claims become roles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from libra.core.settings import InvalidSettings
from libra.process.identity_provider import identity_provider
from libra.process.settings import CommonSettings, load
from libra.rpc.access.caller import Role
from libra.rpc.access.oidc.claim_mapping import RoleMapping
from libra.rpc.access.oidc.public_keys import parse_key_set

VALID = {"access": "tokens", "oidc_issuer": "https://a.example", "oidc_audience": "libra", "oidc_roles": "a=admin"}


@dataclass(frozen=True, slots=True)
class OwnSettings:
    slots: int = 3


def common(**fields: str) -> CommonSettings:
    return replace(CommonSettings(), **VALID | fields)  # type: ignore[arg-type]  # the fields differ in type


def test_a_provider_is_off_by_default() -> None:
    assert identity_provider(CommonSettings()) is None
    assert identity_provider(common()) is not None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"access": "off"}, "needs LIBRA_ACCESS=tokens"),
        ({"oidc_audience": ""}, "needs LIBRA_OIDC_AUDIENCE"),
        ({"oidc_roles": ""}, "needs LIBRA_OIDC_AUDIENCE"),
        ({"oidc_issuer": ""}, "LIBRA_OIDC_ISSUER is not set"),
        ({"oidc_ca_file": "/no/file"}, "LIBRA_OIDC_CA_FILE"),
    ],
)
def test_settings_that_would_accept_too_much_or_nothing_are_refused(fields: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidSettings, match=message):
        identity_provider(common(**fields))


def test_a_file_without_authorities_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    with pytest.raises(InvalidSettings, match="LIBRA_OIDC_CA_FILE"):
        identity_provider(common(oidc_ca_file=str(tmp_path / "ca.pem")))


@pytest.mark.parametrize("name", ["LIBRA_OIDC_ISSUER", "LIBRA_OIDC_JWKS_URL"])
@pytest.mark.parametrize(
    "url",
    ["http://login.example", "http://127.0.0.1.example", "ftp://127.0.0.1", "login.example", "https://", "file:///keys",
     "https://user:word@login.example", "https://login.example/#x"],
)  # fmt: skip
def test_keys_are_read_over_https_only(name: str, url: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        load("judge", OwnSettings, {name: url})


@pytest.mark.parametrize(
    "url", ["https://login.example/realms/a", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost"]
)
def test_http_is_for_this_machine(url: str) -> None:
    assert load("judge", OwnSettings, {"LIBRA_OIDC_ISSUER": url})[0].oidc_issuer == url


@pytest.mark.parametrize("text", ["admin", "=admin", "a=owner", "a=service", "a=none", "a=", "a=admin,b"])
def test_an_invalid_mapping_of_roles_is_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="LIBRA_OIDC_ROLES"):
        load("judge", OwnSettings, {"LIBRA_OIDC_ROLES": text})


def test_the_first_group_of_the_setting_counts() -> None:
    mapping = RoleMapping.parse("auditors=auditor, a=b=runner,staff=reader")
    assert mapping.role(frozenset({"staff", "auditors"})) == Role.AUDITOR
    assert mapping.role(frozenset({"staff", "a=b"})) == Role.RUNNER
    assert mapping.role(frozenset()) == Role.NONE


def test_only_public_strong_keys_for_signatures_are_used() -> None:
    elliptic = ECKey.generate_key("P-256")
    public = elliptic.as_dict(private=False)
    with pytest.warns(match="2048"):
        weak = RSAKey.generate_key(1024).as_dict(private=False)
    entries = [
        {**public, "kid": "good"},
        {**public, "kid": "for encryption", "use": "enc"},
        {**elliptic.as_dict(private=True), "kid": "private"},
        {**OctKey.generate_key(256).as_dict(), "kid": "symmetric"},
        {**weak, "kid": "weak"},
        {**public, "kid": 7},
        {**public, "kid": "broken", "x": "AA"},
        {**public, "kid": "other curve", "crv": "secp256k1"},
        public,
        "text",
    ]
    assert parse_key_set({"keys": entries}).keys() == {("good", "EC")}


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": []}, {"keys": [{"kty": "EC", "kid": "a"}]}])
def test_a_document_without_a_key_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="it "):
        parse_key_set(document)
