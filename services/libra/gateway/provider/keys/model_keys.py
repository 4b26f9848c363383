"""The API keys of a model: found at each request, and sent to the hosts that they are bound to only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from libra.core.access.key_rules import KeyRules, KeySource, key_sources
from libra.gateway.provider.keys.api_key import NoKey, checked_key
from libra.gateway.provider.keys.key_folder import KeyFolder
from libra.v1.model_pb2 import Model

Bind = Callable[[str, str], Awaitable[str]]
"""Binds a source of keys to a target unless it is bound; returns the target that it is bound to."""


NO_HEADERS: Mapping[str, str] = MappingProxyType({})

MAX_CHECKED = 10_000
"""Decisions that are remembered; beyond it all are made again."""


class RequestKeys(NamedTuple):
    """The keys of one request."""

    key: str = ""
    """The model's API key; empty if it has none."""

    headers: Mapping[str, str] = NO_HEADERS
    """Further headers whose values are keys."""

    @property
    def secrets(self) -> str:
        """Every key, one a line, as `api_key.scrub` takes them."""
        return "\n".join((self.key, *self.headers.values())) if self.headers else self.key


NO_KEYS = RequestKeys()
"""The keys of a model without keys."""


class ModelKeys:
    """Finds keys in the environment and in the key folder; keeps no copy of a variable."""

    def __init__(
        self,
        environment: Mapping[str, str],
        rules: KeyRules | None = None,
        folder: str = "",
        bind: Bind | None = None,
    ) -> None:
        """Without `bind`, keys are bound to hosts by the operator's rules only."""
        self._environment, self._rules, self._bind = environment, rules or KeyRules(), bind
        self._folder = KeyFolder(folder)
        self._allowed_variables: set[str] = set()
        self._checked: set[tuple[str, str, str]] = set()
        """The variables, files and targets of models without header_variables that were checked: most of all."""
        self._bound: dict[str, str] = {}
        """The target of each source that was used. A binding never changes, so nothing is read twice."""

    def find(self, model: Model) -> RequestKeys:
        """Return the model's keys. Raises NoKey."""
        name, file = model.api_key_env, model.api_key_file
        if not name and not file and not model.HasField("options"):
            return NO_KEYS
        if name and file:
            raise NoKey("the model has an api_key_env and an api_key_file; register it with one of them")
        key = self._variable(name, model) if name else ""
        if file:
            key = checked_key(self._folder.read(file), "key file", file, model)
        if not model.HasField("options") or not (variables := model.options.header_variables):
            return RequestKeys(key)
        return RequestKeys(key, {header: self._variable(name, model) for header, name in variables.items()})

    def problem_of(self, model: Model) -> str:
        """Return the problem with the model's keys, or an empty string."""
        try:
            self.find(model)
        except NoKey as problem:
            return str(problem)
        return ""

    def is_checked(self, model: Model, target: str) -> bool:
        """Return whether `check_target` has passed before; it need not be called then."""
        known = (model.api_key_env, model.api_key_file, target) in self._checked
        return known and not (model.HasField("options") and model.options.header_variables)

    async def check_target(self, model: Model, target: str) -> None:
        """Raise NoKey if a key of the model may not be sent to `target`. A key without a binding is bound to it.

        Raises Unavailable if a binding cannot be read.
        """
        for source in key_sources(model):
            bound = await self._target_of(source, target)
            if problem := self._rules.problem_of_target(source, target, bound):
                raise NoKey(problem)
        if len(self._checked) >= MAX_CHECKED:
            self._checked.clear()
        self._checked.add((model.api_key_env, model.api_key_file, target))

    async def _target_of(self, source: KeySource, target: str) -> str:
        if self._bind is None or source.name in self._rules.hosts:
            return target
        if source.id not in self._bound:
            self._bound[source.id] = await self._bind(source.id, target)
        return self._bound[source.id]

    def _variable(self, name: str, model: Model) -> str:
        if name not in self._allowed_variables:
            self._check_variable(name)
        return checked_key(self._environment.get(name, "").strip(), "environment variable", name, model)

    def _check_variable(self, name: str) -> None:
        if problem := self._rules.problem_of_variable(name):
            raise NoKey(f"the variable {name} cannot hold an API key: {problem}")
        if len(self._allowed_variables) >= MAX_CHECKED:
            self._allowed_variables.clear()
        self._allowed_variables.add(name)
