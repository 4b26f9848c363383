"""Check a model against the operator's rules, and bind its keys to its host."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Protocol

from libra.core.errors import FailedPrecondition, Invalid
from libra.core.http.address_policy import AddressPolicy, AddressRefused
from libra.core.http.host_name import InvalidHost
from libra.core.key_rules import KeyRules, KeySource, key_sources, key_target
from libra.dispatch.models.urls import FIELD
from libra.v1.model_pb2 import Model


class Bindings(Protocol):
    """The targets that keys are bound to, `libra.store.models.key_hosts.KeyHostCollection`."""

    async def bind(self, source: str, target: str) -> str:
        """Return the target that a key is bound to; the first call of all binds it to `target`."""


@dataclass(frozen=True, slots=True)
class ModelRegistration:
    """The rules for models that are registered. The gateway follows the same rules at each request."""

    policy: AddressPolicy
    rules: KeyRules
    bindings: Bindings

    async def admit(self, model: Model) -> None:
        """Raise Invalid or FailedPrecondition if the model may not be registered; else bind its keys to its host."""
        if not model.base_url:
            return
        self._check_address(model)
        sources = key_sources(model)
        for source in sources:
            self._check_variable(source)
        for source in sources:
            await self._bind(source, key_target(model.base_url))

    async def bind_existing(self, model: Model) -> None:
        """Bind the keys of a model that was registered before keys were bound. Keys that are bound stay as they are."""
        with contextlib.suppress(InvalidHost):
            target = key_target(model.base_url)
            for source in key_sources(model):
                await self.bindings.bind(source.id, target)

    def _check_address(self, model: Model) -> None:
        try:
            self.policy.check_host(key_target(model.base_url).partition("://")[2])
        except AddressRefused as refused:
            raise Invalid(str(refused), field=FIELD) from None

    def _check_variable(self, source: KeySource) -> None:
        if not source.is_file and (problem := self.rules.problem_of_variable(source.name)):
            raise Invalid(f"the variable {source.name} cannot hold an API key: {problem}", field=source.field)

    async def _bind(self, source: KeySource, target: str) -> None:
        bound = target if source.name in self.rules.hosts else await self.bindings.bind(source.id, target)
        if problem := self.rules.problem_of_target(source, target, bound):
            raise FailedPrecondition(problem, field=source.field)
