"""No request reaches an address that the operator does not allow, however its host is spelled or resolved."""

from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from libra.gateway.provider.http.network import HttpLimits
from libra.gateway.provider.keys.model_keys import ModelKeys
from libra.gateway.provider.result import BlockCause, FaultKind

from .conftest import MakeProvider
from .servers import fault_of, model_at, serving, text_of


class ChangingResolver(AbstractResolver):
    """Answers each question with the next list of addresses; the last one is repeated."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.questions = list(answers), 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answer = self.answers[min(self.questions, len(self.answers) - 1)]
        self.questions += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in answer
        ]

    async def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "2130706433",
        "0x7f.1",
        "017700000001",
        "127.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "①②⑦.0.0.1",
        "0.0.0.0",
        "0",
    ],
)
async def test_no_spelling_of_a_refused_address_is_contacted(provider: MakeProvider, host: str) -> None:
    async with serving("0.0.0.0") as server:
        fault = await fault_of(provider(allowed=""), model_at(f"http://{host}:{server.port}/v1"))
        assert fault.kind == FaultKind.FINAL
        assert "cannot be used" in fault.reason
        assert server.headers == []


@pytest.mark.parametrize(
    "answer",
    [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["169.254.169.254"], ["10.0.0.1"]],
)
async def test_a_name_that_resolves_to_a_refused_address_is_not_contacted(
    provider: MakeProvider, answer: list[str]
) -> None:
    keys = ModelKeys({"A_API_KEY": "sk-secret-0123456789"})
    async with serving() as server:
        made = provider(allowed="", resolver=ChangingResolver(answer), keys=keys)
        fault = await fault_of(made, model_at(f"http://model.test:{server.port}/v1", api_key_env="A_API_KEY"))
        assert fault.kind == FaultKind.FINAL
        assert "model.test (at " in fault.reason
        assert server.headers == []
    assert "LIBRA_GATEWAY_ALLOWED_NETWORKS" in fault.reason or "metadata" in fault.reason


async def test_a_name_that_changes_its_address_reaches_checked_addresses_only(provider: MakeProvider) -> None:
    """127.0.0.2 stands for the attacker's public address, 127.0.0.1 for the operator's network."""
    resolver = ChangingResolver(["127.0.0.2"], ["127.0.0.1"], ["127.0.0.2"])
    async with serving("127.0.0.2") as public:
        made = provider(allowed="127.0.0.2/32", resolver=resolver, limits=HttpLimits(keep_alive_seconds=0.001))
        model = model_at(f"http://rebinding.test:{public.port}/v1")
        for expected_questions, is_allowed in ((1, True), (2, False), (3, True)):
            if is_allowed:
                assert await text_of(made, model) == "yes"
            else:
                fault = await fault_of(made, model)
                assert "127.0.0.1" in fault.reason
            # The address that was checked is the address of the connection: there is no second question.
            assert resolver.questions == expected_questions
            connections = made._connections
            assert connections is not None
            connections._connector.clear_dns_cache()
            for transports in connections._connector._conns.values():
                transports.clear()
        assert len(public.headers) == 2


async def test_an_allowed_network_is_reached_over_ipv6_and_by_name(provider: MakeProvider) -> None:
    async with serving("::1") as server:
        assert await text_of(provider(), model_at(f"http://[::1]:{server.port}/v1")) == "yes"
        assert server.headers[0]["Host"] == f"[::1]:{server.port}"
        made = provider(resolver=ChangingResolver(["::1"]))
        assert await text_of(made, model_at(f"http://six.test:{server.port}/v1")) == "yes"
        assert server.headers[1]["Host"] == f"six.test:{server.port}"


async def test_the_first_address_that_answers_is_used(provider: MakeProvider) -> None:
    async with serving() as server:
        made = provider(resolver=ChangingResolver(["::1", "127.0.0.1"]))
        assert await text_of(made, model_at(f"http://both.test:{server.port}/v1")) == "yes"


async def test_nothing_of_a_refused_host_is_read_or_quoted(provider: MakeProvider) -> None:
    fault = await fault_of(provider(allowed=""), model_at("http://169.254.169.254/latest/meta-data"))
    assert fault.reason.startswith("http://169.254.169.254/latest/meta-data cannot be used")
    assert fault.reason.endswith("a metadata service, which gives out credentials")


async def test_a_name_without_an_address_and_a_port_without_a_server_are_told_apart(provider: MakeProvider) -> None:
    fault = await fault_of(provider(), model_at("http://no-such-host.invalid/v1"))
    assert fault.kind == FaultKind.PASSING
    assert "no-such-host.invalid" in fault.reason
    fault = await fault_of(provider(), model_at("http://127.0.0.1:1/v1"))
    assert (fault.kind, fault.block) == (FaultKind.PASSING, BlockCause.UNREACHABLE)
    assert fault.reason == "nobody listens at 127.0.0.1:1; start the server or correct the URL"


async def test_the_problem_of_a_refused_host_is_known_before_any_request(provider: MakeProvider) -> None:
    made = provider(allowed="")
    assert "private address" in made.problem_of(model_at("http://10.0.0.1/v1"))
    assert made.problem_of(model_at("https://api.example.com/v1")) == ""
