"""Checks of hosts, response headers and forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from libra.core.settings import InvalidSettings
from libra.v1.arena_pb2 import GetRulesResponse, SuggestPromptsResponse
from libra.v1.ranking_pb2 import Board, GetBoardResponse
from libra.web.access import Access
from libra.web.security.secret import is_signed, load_secret, sign
from libra.web.security.visitor import COOKIE

from .pages_client import PagesClient


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "localhost:0", "[::1]:8080", "127.8.8.8:1"])
def test_the_loopback_address_needs_no_permission(listen: str) -> None:
    assert Access.create(listen, "no").shows_transcripts


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "[::]:8080", "192.0.2.7:80", "libra.example:80", ":8080"])
def test_any_other_address_needs_an_explicit_permission(listen: str) -> None:
    with pytest.raises(InvalidSettings, match="LIBRA_WEB_ALLOW_REMOTE=public-boards"):
        Access.create(listen, "no")
    assert not Access.create(listen, "public-boards").shows_transcripts
    assert Access.create(listen, "public-boards-and-transcripts").shows_transcripts


def test_only_known_names_and_addresses_are_answered() -> None:
    access = Access.create("127.0.0.1:8080", "no", "Libra.Example,board.example")
    answered = ["localhost:8080", "127.0.0.1", "[::1]:8080", "192.0.2.7:80", "LIBRA.example", "board.example:443"]
    assert [host for host in answered if not access.accepts_host(host)] == []
    foreign = ["evil.example", "localhost.evil.example", "127.0.0.1.nip.example", "", "libra.example.", "[evil]"]
    assert [host for host in foreign if access.accepts_host(host)] == []


def test_a_secret_is_read_from_a_file_of_32_bytes(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("k" * 64 + "\n")
    assert load_secret(str(file)) == b"k" * 64
    assert load_secret("") != load_secret("")
    file.write_text("short")
    with pytest.raises(InvalidSettings, match="5 bytes"):
        load_secret(str(file))
    with pytest.raises(InvalidSettings, match="cannot be read"):
        load_secret(str(tmp_path / "none"))


def test_a_signature_is_valid_for_one_text_one_purpose_and_one_secret() -> None:
    signature = sign(b"s" * 32, "form", "visitor")
    assert is_signed(b"s" * 32, "form", "visitor", signature)
    assert not is_signed(b"s" * 32, "form", "other", signature)
    assert not is_signed(b"s" * 32, "visitor", "visitor", signature)
    assert not is_signed(b"t" * 32, "form", "visitor", signature)
    assert not is_signed(b"s" * 32, "form", "visitor", "é")


@pytest.mark.parametrize("path", ["/", "/nothing", "/healthz"])
async def test_every_response_tells_the_browser_what_not_to_do(pages: PagesClient, path: str) -> None:
    pages.services.replies["GetBoard"] = GetBoardResponse(board=Board())
    async with pages.client.get(path) as response:
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in policy
    assert {"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))


async def test_each_page_has_a_nonce_of_its_own_on_every_script(pages: PagesClient) -> None:
    pages.services.replies["GetBoard"] = GetBoardResponse(board=Board())
    nonces = set()
    for _ in range(2):
        async with pages.client.get("/") as response:
            nonce = response.headers["Content-Security-Policy"].partition("'nonce-")[2].partition("'")[0]
            page = await response.text()
        assert page.count("<script") == page.count(f'<script nonce="{nonce}"') > 0
        assert "style=" not in page
        nonces.add(nonce)
    assert len(nonces) == 2


async def test_a_request_under_a_foreign_name_is_refused(pages: PagesClient) -> None:
    page = await pages.read("/", status=421, headers={"Host": "evil.example"})
    assert "LIBRA_WEB_HOST_NAMES" in page
    assert pages.refusals("host") == 1


async def test_a_static_file_is_kept_for_ever_and_only_under_its_hash(pages: PagesClient) -> None:
    pages.services.replies["GetBoard"] = GetBoardResponse(board=Board())
    page = await pages.read("/")
    address = page.partition('href="/static/')[2].partition('"')[0]
    async with pages.client.get(f"/static/{address}") as response:
        assert response.status == 200
        assert "immutable" in response.headers["Cache-Control"]
    await pages.read("/static/000000000000/libra.css", status=404)
    await pages.read("/static/000000000000/..%2F__main__.py", status=404)
    await pages.read("/static/000000000000/missing.css", status=404)


async def prepare_arena(pages: PagesClient) -> None:
    pages.services.replies |= {
        "GetRules": GetRulesResponse(entries=2, max_turns=8, max_prompt_bytes=1000),
        "SuggestPrompts": SuggestPromptsResponse(),
    }


async def test_a_form_without_the_token_is_refused_and_nothing_is_called(pages: PagesClient) -> None:
    await prepare_arena(pages)
    for fields in ({"prompt": "x"}, {"prompt": "x", "form_token": "0" * 43}):
        async with pages.client.post("/arena", data=fields) as response:
            assert response.status == 403
            assert "nothing was stored" in await response.text()
    assert pages.refusals("form_token") == 2
    assert not any(request.DESCRIPTOR.name == "StartBattleRequest" for request in pages.services.requests)


async def test_a_form_of_another_site_is_refused_even_with_the_token(pages: PagesClient) -> None:
    await prepare_arena(pages)
    page = await pages.read("/arena")
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    async with pages.client.post(
        "/arena", data={"form_token": token, "prompt": "x"}, headers={"Sec-Fetch-Site": "cross-site"}
    ) as response:
        assert response.status == 403
    assert pages.refusals("foreign_site") == 1


async def test_the_cookie_is_signed_and_hidden_from_scripts(pages: PagesClient) -> None:
    await prepare_arena(pages)
    async with pages.client.get("/arena") as response:
        cookie = response.cookies[COOKIE]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert not cookie["secure"]
    async with pages.client.get("/arena") as again:
        assert COOKIE not in again.cookies
    visitor, _, signature = cookie.value.partition(".")
    pages.client.session.cookie_jar.clear()
    forged = {"Cookie": f"{COOKIE}={'0' * len(visitor)}.{signature}"}
    async with pages.client.get("/arena", headers=forged) as response:
        assert response.cookies[COOKIE].value != cookie.value


async def test_the_cookie_is_secure_off_loopback(pages: PagesClient) -> None:
    await prepare_arena(pages)
    async with pages.client.get("/arena", headers={"Host": "192.0.2.7"}) as response:
        assert response.cookies[COOKIE]["secure"] is True


async def test_a_request_that_is_too_large_gets_a_page(pages: PagesClient) -> None:
    async with pages.client.post("/arena", data={"prompt": "x" * 300_000}) as response:
        assert response.status == 413
        assert '<nav aria-label="Pages">' in await response.text()
