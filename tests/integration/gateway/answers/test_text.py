"""The text of an answer is stored and returned unchanged."""

from __future__ import annotations

from libra.gateway.components import Components
from libra.store.client import Store
from libra.testing.scripted_provider import says

from .endpoint import Endpoint, ask, model_of, one


async def test_control_characters_languages_and_a_megabyte_are_unchanged(
    components: Components, endpoint: Endpoint, store: Store
) -> None:
    endpoint.follow(lambda asked: says(asked.prompt))
    texts = ["\x00\x01\x1b[31m\r\n\t\x7f", "नमस्ते 你好 مرحبا สวัสดี 😀 e\u0301 \u202e", "x" * 1_000_000]
    completions = await ask(components, model_of(endpoint), *texts)
    assert [each.text for each in completions] == texts
    kept = await store.completions.get_many([each.id for each in completions])
    assert [kept[each.id].text for each in completions] == texts


async def test_a_lone_surrogate_in_an_answer_is_replaced(components: Components, endpoint: Endpoint) -> None:
    endpoint.play(says("a\ud800b"))
    assert (await one(components, model_of(endpoint))).text == "a\ufffdb"
