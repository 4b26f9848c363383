"""Settings of dispatch, read from LIBRA_DISPATCH_*."""

from __future__ import annotations

from dataclasses import dataclass, field

from libra.core.access.key_rules import (
    DEFAULT_VARIABLES,
    HOSTS_SETTING,
    VARIABLES_SETTING,
    KeyHosts,
    KeyRules,
    KeyVariables,
)
from libra.core.http.address_policy import SETTING, AddressPolicy, AllowedNetworks
from libra.core.http.host_name import canonical_host
from libra.core.http.poster import TargetRules
from libra.core.http.proxies import Proxies
from libra.core.settings import Count, Days, Seconds, Target
from libra.store.maintenance.retention.policy import RetentionPolicy


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses of the services that dispatch calls, and its limits for a run."""

    attack_address: Target = "127.0.0.1:50052"
    """Address of the attack service."""

    judge_address: Target = "127.0.0.1:50054"
    """Address of the judge service."""

    window_trials: Count = 4096
    """Maximum of trials in flight per (run, model), reached only while few batches wait for the model.

    See `libra.dispatch.scheduling.send_window`.
    """

    lease_seconds: Seconds = 15.0
    """A replica that stops renewing its lease of a run loses the run after this time."""

    wake_seconds: Seconds = 1.0
    """Progress is polled at this interval when no event announces any."""

    quiet_seconds: Seconds = 20.0
    """Trials are sent again when no verdict has come for this long and no stage has work for their model."""

    patience_seconds: Seconds = 900.0
    """Trials are sent again when no verdict has come for this long, even if the queues are not idle."""

    sweeps: Count = 3
    """After this many consecutive sweeps without a verdict, the missing trials are declared FAILED."""

    allowed_networks: AllowedNetworks = field(default="", metadata={"env": SETTING})
    """The gateway's setting: a model at an address that the gateway refuses is not registered."""

    key_variables: KeyVariables = field(default=DEFAULT_VARIABLES, metadata={"env": VARIABLES_SETTING})
    """The gateway's setting: a model with a variable that the gateway refuses is not registered."""

    key_hosts: KeyHosts = field(default="", metadata={"env": HOSTS_SETTING})
    """The gateway's setting: hosts of keys that the operator names."""

    webhook_networks: AllowedNetworks = ""
    """Networks that webhooks may be delivered to in addition to the internet, as in LIBRA_GATEWAY_ALLOWED_NETWORKS."""

    webhook_http_hosts: str = ""
    """Hosts that webhooks may be delivered to without TLS, separated by commas."""

    webhook_key_file: str = ""
    """A file with at least 32 random bytes that the secrets of webhooks are derived from, the same for every replica;
    empty: a key that the first replica stores in MongoDB."""

    webhook_proxy: str = ""
    """The HTTP proxy that webhooks are delivered through, for instance http://proxy.example:3128; empty: none. It
    resolves the names of receivers, and must refuse private addresses."""

    webhook_timeout_seconds: Seconds = 15.0
    """A receiver that does not respond within this time is tried again later."""

    keep_completions_days: Days = 0
    """Texts of completions, with the messages of their requests, are removed after this time."""

    keep_verdict_texts_days: Days = 0
    """Judges' reasons and the turns of multi-turn attacks are removed after this time. Scores are kept."""

    keep_battles_days: Days = 0
    """Texts of the arena's battles are removed after this time. Votes are kept."""

    keep_dead_letters_days: Days = 0
    """Dead letters are deleted after this time, and after 30 days in any case."""

    def retention_policy(self) -> RetentionPolicy:
        """Return how long texts are kept in the store."""
        return RetentionPolicy(self.keep_completions_days, self.keep_verdict_texts_days, self.keep_battles_days)

    def webhook_rules(self) -> TargetRules:
        """Return which URLs webhooks may have."""
        policy = AddressPolicy.parse(self.webhook_networks, "LIBRA_DISPATCH_WEBHOOK_NETWORKS")
        hosts = filter(None, (host.strip() for host in self.webhook_http_hosts.split(",")))
        return TargetRules(policy, frozenset(canonical_host(host) for host in hosts))

    def webhook_proxies(self) -> Proxies:
        """Return the proxy of webhooks. Raises InvalidSettings."""
        return Proxies.single(self.webhook_proxy, "LIBRA_DISPATCH_WEBHOOK_PROXY")

    def address_policy(self) -> AddressPolicy:
        """Return which addresses models may have."""
        return AddressPolicy.parse(self.allowed_networks)

    def key_rules(self) -> KeyRules:
        """Return which variables may hold keys, and for which hosts."""
        return KeyRules.parse(self.key_variables, self.key_hosts)
