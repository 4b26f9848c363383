"""The settings of gateway, read from LIBRA_GATEWAY_*, and the environment that holds the models' API keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from libra.core.access.key_rules import DEFAULT_VARIABLES, KeyHosts, KeyRules, KeyVariables
from libra.core.http.address_policy import AddressPolicy, AllowedNetworks
from libra.core.settings import Count, Seconds
from libra.gateway.parking.policy import ParkPolicy
from libra.gateway.provider.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Settings:
    """Retries, networks and keys, and how long gateway waits for the store, for leases and for requests in flight."""

    retry_attempts: Count = 8
    """Maximum number of requests for one answer while the provider fails: about two minutes with their waits."""

    retry_timeouts: Count = 2
    """Maximum number of requests for one answer that run into the model's timeout. Each has cost the whole timeout."""

    retry_base_seconds: Seconds = 1.0
    """The wait after the first failure is drawn from 0 to this; the range doubles with each further failure."""

    retry_most_seconds: Seconds = 60.0
    """The largest range of a wait."""

    retry_budget_seconds: Seconds = 600.0
    """No request for an answer begins later than this after the first one; time spent waiting for a permit does not
    count. Only this bounds how often a model that answers "slow down" (429) is asked again."""

    stream_stall_seconds: Seconds = 30.0
    """The longest time between two parts of a streamed answer. The first part has the model's timeout."""

    retry_after_most_seconds: Seconds = 300.0
    """A provider that asks for a longer wait parks its model."""

    park_probe_seconds: Seconds = 5.0
    """A model that cannot be asked is parked: it gets one request as a probe after this time, and the next after twice
    the time. Where nobody listens, every probe comes after this time."""

    park_probe_most_seconds: Seconds = 300.0
    """The longest time between two probes; for a used-up quota twelve times as long, unless the provider names one."""

    park_most_seconds: Seconds = 600.0
    """The trials of a run fail once their model has been parked for this long: nobody listens, the API key is wrong,
    the certificate is not trusted, or the endpoint does not know the model."""

    park_quota_most_seconds: Seconds = 86_400.0
    """The same for a model whose quota is used up or whose provider asks for a long wait. A quota of the day returns
    within it."""

    hold_seconds: Seconds = 3600.0
    """A paid answer that cannot be stored is kept in memory for this long, then given up."""

    answer_memory_mib: Count = 64
    """While the answers that wait for the store, their batch or the queue have more MiB than this, requests wait."""

    drain_seconds: Seconds = 20.0
    """Time for requests in flight to be answered and stored after the signal to stop; the rest is requested
    again by another replica. A value above what a process gives its workers (`libra.process`, 25 s) has no effect."""

    look_seconds: Seconds = 2.0
    """New and deleted models, and ended runs, are noticed after this long."""

    renew_seconds: Seconds = 2.0
    """Period in which a replica renews its lease on a model's limits. A lease expires after three missed renewals, so
    this also decides how long the limits of a killed replica stay unused. Must be the same for all replicas."""

    allowed_networks: AllowedNetworks = ""
    """Networks in addition to the internet in which models may be: CIDR networks, and the words loopback, private,
    link-local and shared, with commas between them. Dispatch reads the same variable."""

    key_variables: KeyVariables = DEFAULT_VARIABLES
    """Patterns of the environment variables that may hold API keys. Dispatch reads the same variable."""

    key_hosts: KeyHosts = ""
    """Hosts of single keys, for instance "A_API_KEY=api.example.com,eu.api.example.com B_API_KEY=b.example". A key that
    is not named is bound to the host for which it was first registered. Dispatch reads the same variable."""

    key_folder: str = ""
    """The folder of key files; empty: no model may use a file."""

    ca_file: str = ""
    """A PEM file with certificates of CAs that are trusted in addition to those of the system."""

    client_cert_file: str = ""
    """A PEM file with the certificate for servers that demand one, and its chain."""

    client_key_file: str = ""
    """A PEM file with the private key of the client certificate; empty: it is in client_cert_file."""

    def address_policy(self) -> AddressPolicy:
        """Return which addresses models may have."""
        return AddressPolicy.parse(self.allowed_networks)

    def key_rules(self) -> KeyRules:
        """Return which variables may hold keys, and for which hosts."""
        return KeyRules.parse(self.key_variables, self.key_hosts)

    def retry_policy(self) -> RetryPolicy:
        """Return the retry settings as a policy."""
        return RetryPolicy(
            attempts=self.retry_attempts,
            timeouts=self.retry_timeouts,
            base_seconds=self.retry_base_seconds,
            max_seconds=self.retry_most_seconds,
            budget_seconds=self.retry_budget_seconds,
            retry_after_max_seconds=self.retry_after_most_seconds,
        )

    def park_policy(self) -> ParkPolicy:
        """Return the settings of parking as a policy."""
        return ParkPolicy(
            patience_seconds=self.retry_after_most_seconds,
            probe_seconds=self.park_probe_seconds,
            probe_max_seconds=self.park_probe_most_seconds,
            give_up_seconds=self.park_most_seconds,
            give_up_quota_seconds=self.park_quota_most_seconds,
        )


def environment() -> Mapping[str, str]:
    """Return the process's environment, in which an API key is looked up at each request. No copy is kept."""
    return os.environ
