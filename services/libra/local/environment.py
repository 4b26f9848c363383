"""The environment variables that `libra up` hands on: what a process needs, and API keys to the gateway only."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from libra.core.access.key_rules import KeyRules
from libra.core.http import address_policy
from libra.core.setting_names import KEY_PREFIX, PREFIX

PROCESS = tuple(
    """
    PATH HOME USER LOGNAME SHELL LANG LANGUAGE LC_* TZ TMPDIR TMP TEMP TERM NO_COLOR
    PYTHON* VIRTUAL_ENV LD_LIBRARY_PATH DYLD_* XDG_* MALLOC_* OMP_* OPENBLAS_* MKL_*
    OTEL_* GRPC_* SSL_CERT_FILE SSL_CERT_DIR
    """.split()  # noqa: SIM905 - a list of words reads best as text
)
"""Patterns of variables that every process may need. None of them usually holds a key."""

PROXIES = tuple(name for word in ("http", "https", "all", "no") for name in (f"{word}_proxy", f"{word}_proxy".upper()))
"""For requests to models. They may contain a password, so only the gateway gets them."""


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what every process inherits: the variables of PROCESS, and the settings of Libra."""
    return {
        name: value
        for name, value in environment.items()
        if any(fnmatchcase(name, pattern) for pattern in PROCESS)
        or (name.startswith(PREFIX) and not name.startswith(KEY_PREFIX))
    }


def for_gateway(environment: Mapping[str, str], key_variables: str) -> dict[str, str]:
    """Return what the gateway inherits in addition: the variables that may hold keys, and the proxies."""
    rules = KeyRules.parse(key_variables, "")
    return {
        name: value for name, value in environment.items() if name in PROXIES or not rules.problem_of_variable(name)
    }


def with_loopback(allowed_networks: str) -> dict[str, str]:
    """Return the setting with which models may be on this machine, in addition to the networks that it allows."""
    return {address_policy.SETTING: ",".join(filter(None, ("loopback", allowed_networks)))}
