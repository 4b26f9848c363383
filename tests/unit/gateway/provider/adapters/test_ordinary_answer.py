"""The quick reading of an ordinary answer finds what the close reading finds, or leaves the body to it."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from libra.gateway.provider.adapters.openai_chat_response import ordinary_answer, read_closely
from libra.v1.model_pb2 import Model

KEY = "sk-secret-key"
TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(["yes", "<think>no", "[THINK]", "", f"the key is {KEY}", "né"]))
ODD = st.one_of(st.none(), st.integers(-1, 9), TEXTS, st.lists(TEXTS, max_size=2))
MESSAGES = st.fixed_dictionaries(
    {"content": st.one_of(TEXTS, ODD)}, optional={"refusal": ODD, "tool_calls": ODD, "reasoning": ODD}
)
CHOICES = st.fixed_dictionaries(
    {"message": MESSAGES},
    optional={
        "finish_reason": st.one_of(st.just("stop"), st.just("length"), ODD),
        "native_finish_reason": ODD,
        "text": ODD,
    },
)
USAGE = st.dictionaries(st.sampled_from(["prompt_tokens", "completion_tokens", "input_tokens"]), ODD, max_size=3)
DOCUMENTS = st.fixed_dictionaries(
    {"choices": st.lists(CHOICES, max_size=2)},
    optional={"usage": st.one_of(USAGE, ODD), "output": ODD, "error": ODD, "data": ODD, "success": st.booleans()},
)


@given(document=DOCUMENTS, key=st.sampled_from(["", KEY]))
def test_an_ordinary_answer_is_read_as_closely(document: dict[str, object], key: str) -> None:
    quickly = ordinary_answer(document, key)
    body = orjson.dumps(document)
    assert quickly in (None, read_closely(200, {}, document, body, Model(name="m"), key))


def test_a_usual_body_is_read_quickly() -> None:
    document = {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}]}
    found = ordinary_answer(document, KEY)
    assert found
    assert found.text == "Hello"
