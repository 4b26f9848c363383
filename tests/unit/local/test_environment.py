from __future__ import annotations

from libra.core.access.key_rules import DEFAULT_VARIABLES
from libra.local.environment import for_gateway, with_loopback, without_keys

ENVIRONMENT = {
    "PATH": "/bin",
    "HOME": "/home/u",
    "LC_ALL": "C",
    "SSL_CERT_FILE": "/ca.pem",
    "OTEL_SERVICE_NAME": "x",
    "LIBRA_LOG_LEVEL": "debug",
    "LIBRA_GATEWAY_KEY_FOLDER": "/keys",
    "LIBRA_KEY_A": "sk-1",
    "A_API_KEY": "sk-2",
    "A_API_TOKEN": "sk-3",
    "MY_KEY": "sk-4",
    "DATABASE_PASSWORD": "sk-5",
    "AWS_SECRET_ACCESS_KEY": "sk-6",
    "HTTPS_PROXY": "http://user:sk-7@proxy:1",
    "no_proxy": "a",
}


def test_no_key_and_no_password_reaches_the_other_services() -> None:
    inherited = without_keys(ENVIRONMENT)
    assert inherited == {name: ENVIRONMENT[name] for name in list(ENVIRONMENT)[:7]}
    assert not any("sk-" in value for value in inherited.values())


def test_the_gateway_gets_the_keys_of_the_allow_list_and_the_proxies() -> None:
    got = for_gateway(ENVIRONMENT, DEFAULT_VARIABLES)
    assert set(got) == {"LIBRA_KEY_A", "A_API_KEY", "A_API_TOKEN", "HTTPS_PROXY", "no_proxy"}
    assert set(for_gateway(ENVIRONMENT, "MY_*")) == {"MY_KEY", "HTTPS_PROXY", "no_proxy"}


def test_models_may_be_on_this_machine() -> None:
    assert with_loopback("") == {"LIBRA_GATEWAY_ALLOWED_NETWORKS": "loopback"}
    assert with_loopback("private") == {"LIBRA_GATEWAY_ALLOWED_NETWORKS": "loopback,private"}
