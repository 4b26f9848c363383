"""The OpenID Connect provider whose tokens a process accepts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import partial

from libra.core.http.json_fetch import fetch_json
from libra.core.settings import InvalidSettings
from libra.process.settings import CommonSettings
from libra.rpc.access.caller import Caller
from libra.rpc.access.oidc.claim_mapping import IdentityRules, RoleMapping
from libra.rpc.access.oidc.key_cache import KeyCache
from libra.rpc.access.oidc.token_verifier import TokenVerifier


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """Knows callers by the tokens of a provider."""

    verifier: TokenVerifier
    rules: IdentityRules

    async def authenticate(self, token: str) -> Caller:
        """Return who has a token. Raises Unauthenticated, and Unavailable if the provider's keys cannot be read."""
        return self.rules.caller(await self.verifier.verify(token))


def identity_provider(settings: CommonSettings) -> IdentityProvider | None:
    """Return the provider of the settings; None if they name none. Raises InvalidSettings."""
    if not settings.oidc_issuer:
        if settings.oidc_audience or settings.oidc_roles or settings.oidc_jwks_url:
            raise InvalidSettings(
                "LIBRA_OIDC_ISSUER is not set, so that the other settings LIBRA_OIDC_* have no effect"
            )
        return None
    if settings.access == "off":
        raise InvalidSettings("LIBRA_OIDC_ISSUER needs LIBRA_ACCESS=tokens: without it nobody is asked for a token")
    if not (settings.oidc_audience and settings.oidc_roles):
        raise InvalidSettings(
            "LIBRA_OIDC_ISSUER needs LIBRA_OIDC_AUDIENCE, so that tokens for other programs are refused, and "
            "LIBRA_OIDC_ROLES, for instance libra-admins=admin,ml=runner"
        )
    fetch = partial(fetch_json, tls=_provider_tls(settings.oidc_ca_file))
    keys = KeyCache(settings.oidc_issuer, settings.oidc_jwks_url, fetch)
    rules = IdentityRules(
        settings.oidc_issuer,
        RoleMapping.parse(settings.oidc_roles),
        settings.oidc_role_claim,
        settings.oidc_team_claim,
    )
    return IdentityProvider(TokenVerifier(settings.oidc_issuer, settings.oidc_audience, keys), rules)


def _provider_tls(ca_file: str) -> ssl.SSLContext | None:
    """Return what connections to the provider are checked with; None for the authorities of the system."""
    if not ca_file:
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise InvalidSettings(f"LIBRA_OIDC_CA_FILE={ca_file} cannot be read: {error}") from error
