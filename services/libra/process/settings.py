"""Settings that every service has: LIBRA_<SERVICE>_LISTEN, LIBRA_<SERVICE>_METRICS_LISTEN, and those that all share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, StringConstraints

from libra.core import setting_names, settings
from libra.core.http.secure_url import check_url
from libra.rpc.access.oidc.claim_mapping import RoleMapping
from libra.telemetry import logs

ServiceSettings = TypeVar("ServiceSettings")

MAX_PORT = 65_535


def check_port(address: str) -> str:
    """Return the address; raise ValueError if it is written as a URL or its port is too large."""
    port = settings.reject_scheme(address).rpartition(":")[2]
    if port and int(port) > MAX_PORT:
        raise ValueError(f"the port {port} is above {MAX_PORT}")
    return address


Address = Annotated[str, StringConstraints(pattern=r"^(|\S+:[0-9]{1,5})$"), AfterValidator(check_port)]
"""host:port; port 0 takes any free port."""

DatabaseName = Annotated[str, StringConstraints(pattern=r'^[^/\\. "$*<>:|?\x00]{1,63}$')]
"""A name that MongoDB accepts for a database."""

HostNames = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*)?$", max_length=4096)]
"""Host names, separated by commas."""

AccessMode = Literal["off", "tokens"]
RemoteAccess = Literal["no", "without-access-control"]

ClaimPath = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""The name of a claim of a token."""


def check_optional_url(text: str) -> str:
    """Return an empty text or a URL that keys may be read from; raise ValueError for any other text."""
    return check_url(text) if text else text


def check_group_roles(text: str) -> str:
    """Return the text of the setting; raise ValueError if it is invalid."""
    RoleMapping.parse(text)
    return text


OptionalUrl = Annotated[str, AfterValidator(check_optional_url)]
GroupRoles = Annotated[str, AfterValidator(check_group_roles)]

OptionalEndpoint = Annotated[str, StringConstraints(pattern=r"^\S*$")]

LISTEN = {
    "dispatch": ("127.0.0.1:50051", "127.0.0.1:9101"),
    "attack": ("127.0.0.1:50052", "127.0.0.1:9102"),
    "gateway": ("127.0.0.1:50053", "127.0.0.1:9103"),
    "judge": ("127.0.0.1:50054", "127.0.0.1:9104"),
    "ranking": ("127.0.0.1:50055", "127.0.0.1:9105"),
    "web": ("127.0.0.1:8080", "127.0.0.1:9107"),
    "arena": ("127.0.0.1:50056", "127.0.0.1:9106"),
}
"""The default addresses of each service, for gRPC and for /metrics. A service that is not listed takes free ports."""

FREE_PORTS = ("127.0.0.1:0", "127.0.0.1:0")


@dataclass(frozen=True, slots=True)
class CommonSettings:
    """The addresses, connections and telemetry of a process."""

    listen: Address = ""
    """Address of the gRPC server."""

    metrics_listen: Address = ""
    """Address of the metrics server (GET /metrics)."""

    metrics_tls: Literal["off", "on"] = field(default="off", metadata={"env": "LIBRA_METRICS_TLS"})
    """With "on" the metrics server has the same certificate as the gRPC server, and asks for one if that one does."""

    health_listen: Address = ""
    """Address of a second gRPC server, in plain text and with health only, for probes that cannot use TLS; empty:
    none."""

    access: AccessMode = field(default="off", metadata={"env": "LIBRA_ACCESS"})
    """With "tokens" every call needs a token, except health. With "off" everyone who can connect may call."""

    allow_remote: RemoteAccess = field(default="no", metadata={"env": "LIBRA_ALLOW_REMOTE"})
    """With "no", the process refuses to listen on an address that other machines reach, unless it has TLS and
    authenticates its callers. With "without-access-control" it listens there for everyone who can connect."""

    tls_cert_file: str = field(default="", metadata={"env": "LIBRA_TLS_CERT_FILE"})
    """The certificate chain of this process, PEM: of its server, and of its calls to other services. Empty: no TLS."""

    tls_key_file: str = field(default="", metadata={"env": "LIBRA_TLS_KEY_FILE"})
    """The private key of the certificate."""

    tls_ca_file: str = field(default="", metadata={"env": "LIBRA_TLS_CA_FILE"})
    """The authorities that sign the certificates of the services that this process calls."""

    tls_client_ca_file: str = field(default="", metadata={"env": "LIBRA_TLS_CLIENT_CA_FILE"})
    """The authorities that sign the certificates of callers: every caller must show one. Empty: callers need none."""

    tls_service_names: HostNames = field(default="", metadata={"env": "LIBRA_TLS_SERVICE_NAMES"})
    """Names in the certificates of Libra's own services, separated by commas: a caller with such a certificate needs no
    token."""

    service_token_file: str = field(default="", metadata={"env": "LIBRA_SERVICE_TOKEN_FILE"})
    """File with the secret by which Libra's services recognise each other, the same for all of them."""

    admin_token_file: str = field(default="", metadata={"env": "LIBRA_ADMIN_TOKEN_FILE"})
    """File with a secret that has every right, to create the first tokens with."""

    oidc_issuer: OptionalUrl = field(default="", metadata={"env": "LIBRA_OIDC_ISSUER"})
    """The issuer of an OpenID Connect provider, for instance https://login.example.com: callers may also show its
    tokens. Empty: they may not."""

    oidc_audience: str = field(default="", metadata={"env": "LIBRA_OIDC_AUDIENCE"})
    """The audience (aud) that a token of the provider must have."""

    oidc_roles: GroupRoles = field(default="", metadata={"env": "LIBRA_OIDC_ROLES"})
    """The roles of the provider's groups, GROUP=ROLE with commas between them; of several groups, the first counts."""

    oidc_role_claim: ClaimPath = field(default="groups", metadata={"env": "LIBRA_OIDC_ROLE_CLAIM"})
    """The claim with the groups of a caller; a nested one with dots, for instance realm_access.roles."""

    oidc_team_claim: str = field(default="", metadata={"env": "LIBRA_OIDC_TEAM_CLAIM"})
    """The claim with the team of a caller, without which its token is refused. Empty: callers have no team."""

    oidc_jwks_url: OptionalUrl = field(default="", metadata={"env": "LIBRA_OIDC_JWKS_URL"})
    """URL of the public keys of the provider. Empty: the URL in its discovery document."""

    oidc_ca_file: str = field(default="", metadata={"env": "LIBRA_OIDC_CA_FILE"})
    """The authorities that sign the certificate of the provider. Empty: those of the system."""

    nats_url: str = field(default="nats://127.0.0.1:4222", metadata={"env": "LIBRA_NATS_URL"})
    """URL of NATS; several are separated by commas."""

    nats_stage_bytes: settings.Bytes = field(default=256 * 1024 * 1024, metadata={"env": "LIBRA_NATS_STAGE_BYTES"})
    """Maximum disk space of one stage's stream on nats-server, in bytes; five times this is reserved when the streams
    are created. It must exceed the largest batch, which has half a megabyte unless a single trial is larger."""

    nats_ack_wait_seconds: settings.Seconds = field(default=30.0, metadata={"env": "LIBRA_NATS_ACK_WAIT_SECONDS"})
    """A batch is redelivered to another replica after this long without progress; a stage reports progress three
    times in it. It must be the same for every service: consumers are created with it, and one with another value is
    refused."""

    mongo_url: str = field(default="mongodb://127.0.0.1:27017/?replicaSet=libra", metadata={"env": "LIBRA_MONGO_URL"})
    """URL of MongoDB."""

    mongo_database: DatabaseName = field(default="libra", metadata={"env": "LIBRA_MONGO_DATABASE"})
    """Name of the database."""

    otlp_endpoint: OptionalEndpoint = field(default="", metadata={"env": "LIBRA_OTLP_ENDPOINT"})
    """Address that traces are sent to, by OTLP over gRPC; empty disables tracing."""

    log_level: logs.Level = field(default="info", metadata={"env": "LIBRA_LOG_LEVEL"})
    """Minimum level of a log line."""

    log_format: logs.Format = field(default="json", metadata={"env": "LIBRA_LOG_FORMAT"})
    """One JSON object per line, or text for a console."""


def load(
    name: str, own: type[ServiceSettings], environ: Mapping[str, str] | None = None
) -> tuple[CommonSettings, ServiceSettings]:
    """Return the common settings of the process `name` and its service's own; raise InvalidSettings."""
    variables, prefix = os.environ if environ is None else environ, f"LIBRA_{name.upper()}_"
    common = settings.read(CommonSettings, prefix, variables)
    settings.check_nats_url(common.nats_url)
    settings.check_mongo_url(common.mongo_url)
    listen, metrics_listen = LISTEN.get(name, FREE_PORTS)
    filled: dict[str, Any] = {
        "listen": common.listen or listen,
        "metrics_listen": common.metrics_listen or metrics_listen,
    }
    return replace(common, **filled), settings.read(own, prefix, variables)


def list_unknown_variables(
    name: str, own: type[ServiceSettings], environ: Mapping[str, str] | None = None
) -> list[str]:
    """Return a sentence for each variable LIBRA_* that is a setting neither of this process nor of any other."""
    variables, prefix = os.environ if environ is None else environ, f"LIBRA_{name.upper()}_"
    names = (settings.variable_names(cls, prefix).values() for cls in (CommonSettings, own))
    return setting_names.list_unknown(variables, also_known=chain.from_iterable(names))
