"""The variables and files that may hold API keys of models, and the hosts that a key may be sent to.

The operator sets these rules for the gateway, which follows them at each request. Dispatch follows them as well, when a
model is registered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator

from libra.core.http.host_name import canonical_host, in_url
from libra.core.setting_names import KEY_PREFIX, PREFIX
from libra.v1.model_pb2 import Model

VARIABLES_SETTING = "LIBRA_GATEWAY_KEY_VARIABLES"
HOSTS_SETTING = "LIBRA_GATEWAY_KEY_HOSTS"
FOLDER_SETTING = "LIBRA_GATEWAY_KEY_FOLDER"

DEFAULT_VARIABLES = f"*_API_KEY,*_API_TOKEN,{KEY_PREFIX}*"

VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
PATTERN = re.compile(r"[A-Za-z0-9_*?]{1,128}")


@dataclass(frozen=True, slots=True)
class KeySource:
    """A variable or a file of the gateway that holds a key."""

    name: str
    field: str
    """The field of CreateModelRequest that names it."""

    is_file: bool = False

    @property
    def id(self) -> str:
        """The source as text, which is the same for every model that names it."""
        return f"{'file' if self.is_file else 'variable'}:{self.name}"

    def __str__(self) -> str:
        return f"the key {'file' if self.is_file else 'variable'} {self.name}"


@dataclass(frozen=True, slots=True)
class KeyRules:
    """The operator's rules."""

    variables: tuple[str, ...] = tuple(DEFAULT_VARIABLES.split(","))
    """Patterns of the variables that may hold keys."""

    hosts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The targets of keys that the operator names, by variable or file; the others are bound to their first target."""

    @classmethod
    def parse(cls, variables: str, hosts: str) -> Self:
        """Return the rules of two settings. Raises ValueError."""
        return cls(_parse_patterns(variables), _parse_hosts(hosts))

    def problem_of_variable(self, name: str) -> str:
        """Return why a variable may not hold a key, or an empty string."""
        if name.startswith(PREFIX) and not name.startswith(KEY_PREFIX):
            return f"variables that begin with {PREFIX} configure Libra; rename it, for instance to {KEY_PREFIX}NAME"
        if not any(fnmatchcase(name, pattern) for pattern in self.variables):
            patterns = ", ".join(self.variables)
            return f"{VARIABLES_SETTING} of the gateway allows {patterns}; rename it, or extend the setting"
        return ""

    def problem_of_target(self, source: KeySource, target: str, bound: str) -> str:
        """Return why a key may not be sent to `target`, or an empty string. `bound` is where it was first sent."""
        allowed = self.hosts.get(source.name) or frozenset({bound})
        if any(is_covered(target, each) for each in allowed):
            return ""
        hosts = ", ".join(sorted(allowed))
        more = ",".join(sorted({*allowed, target}))
        return (
            f"{source} is bound to {hosts} and is not sent to {target}; use another key for this host, or let the "
            f"operator set {HOSTS_SETTING}={source.name}={more}"
        )


def key_sources(model: Model) -> list[KeySource]:
    """Return every variable and file that a model's keys are read from."""
    sources = [KeySource(model.api_key_env, "model.api_key_env")] if model.api_key_env else []
    if model.api_key_file:
        sources.append(KeySource(model.api_key_file, "model.api_key_file", is_file=True))
    names = sorted(set(model.options.header_variables.values()))
    return sources + [KeySource(name, "model.options.header_variables") for name in names]


def key_target(url: str) -> str:
    """Return what a key is bound to: the scheme and the host of a URL, for all ports and paths. Raises InvalidHost."""
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{in_url(canonical_host(parts.hostname or ''))}"


def is_covered(target: str, allowed: str) -> bool:
    """Return whether a key for `allowed` may be sent to `target`. A key for HTTP may be sent over HTTPS."""
    return target == allowed or target.replace("https://", "http://", 1) == allowed


def check_variables(text: str) -> str:
    """Return the setting of variables; raise ValueError if it is invalid."""
    _parse_patterns(text)
    return text


def check_hosts(text: str) -> str:
    """Return the setting of hosts; raise ValueError if it is invalid."""
    _parse_hosts(text)
    return text


KeyVariables = Annotated[str, AfterValidator(check_variables)]
"""The type of the setting of variables: patterns with commas between them."""

KeyHosts = Annotated[str, AfterValidator(check_hosts)]
"""The type of the setting of hosts: NAME=host,host with spaces between the names."""


def _parse_patterns(text: str) -> tuple[str, ...]:
    patterns = tuple(part.strip() for part in text.split(",") if part.strip())
    for pattern in patterns:
        if not PATTERN.fullmatch(pattern):
            raise ValueError(f"{pattern!r} is not a pattern of variable names such as *_API_KEY")
    return patterns


def _parse_hosts(text: str) -> dict[str, frozenset[str]]:
    rules: dict[str, frozenset[str]] = {}
    for item in text.split():
        name, separator, hosts = item.partition("=")
        targets = frozenset(_target(host) for host in hosts.split(",") if host)
        if not separator or not FILE_NAME.fullmatch(name) or not targets:
            raise ValueError(f"{item!r} is not of the form NAME_API_KEY=api.example.com,eu.api.example.com")
        rules[name] = rules.get(name, frozenset()) | targets
    return rules


def _target(host: str) -> str:
    """Return the target of a host in the setting; without a scheme, only HTTPS is allowed."""
    return key_target(host if "://" in host else f"https://{host}")
