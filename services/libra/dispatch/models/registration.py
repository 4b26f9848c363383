"""Check a model against the operator's rules, and bind its keys to its host."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Protocol

from libra.core.access import team_scope
from libra.core.access.key_rules import KeyRules, KeySource, key_sources, key_target
from libra.core.errors import FailedPrecondition, Invalid
from libra.core.http.address_policy import AddressPolicy, AddressRefused
from libra.core.http.host_name import InvalidHost
from libra.dispatch.models.urls import FIELD
from libra.v1.model_pb2 import Model


class Bindings(Protocol):
    """The targets that keys are bound to, `libra.store.models.key_hosts.KeyHostCollection`."""

    async def bind(self, source: str, target: str, team: str = "") -> str:
        """Return the target of a key; the first call of all binds the key to `target`, and gives it to `team`."""

    async def find_team(self, source: str) -> str | None:
        """Return the team for whose model a key was named first; None for a key that no model has named."""


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
            await self._check_team(source)
        for source in sources:
            await self._bind(source, key_target(model.base_url), model.team)

    async def bind_existing(self, model: Model) -> None:
        """Bind the keys of a model that was registered before keys were bound. Keys that are bound stay as they are."""
        with contextlib.suppress(InvalidHost):
            target = key_target(model.base_url)
            for source in key_sources(model):
                await self.bindings.bind(source.id, target, model.team)

    def _check_address(self, model: Model) -> None:
        try:
            self.policy.check_host(key_target(model.base_url).partition("://")[2])
        except AddressRefused as refused:
            raise Invalid(str(refused), field=FIELD) from None

    def _check_variable(self, source: KeySource) -> None:
        if not source.is_file and (problem := self.rules.problem_of_variable(source.name)):
            raise Invalid(f"the variable {source.name} cannot hold an API key: {problem}", field=source.field)

    async def _check_team(self, source: KeySource) -> None:
        """Raise FailedPrecondition if a caller of a team names a key that was not given to the team."""
        team = team_scope.current()
        if team and await self.bindings.find_team(source.id) != team:
            raise FailedPrecondition(
                f"{source} is none of your team's keys: an administrator without a team gives it to the team by "
                "registering the first model that uses it (`libra models add --team`)",
                field=source.field,
            )

    async def _bind(self, source: KeySource, target: str, team: str) -> None:
        bound = await self.bindings.bind(source.id, target, team)
        bound = target if source.name in self.rules.hosts else bound
        if problem := self.rules.problem_of_target(source, target, bound):
            raise FailedPrecondition(problem, field=source.field)
