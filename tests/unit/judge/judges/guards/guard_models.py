"""Scripted guard models: each takes a conversation in the published form of its guard and replies in that form.

A guard finds the answer in the prompt as its template delimits it, and calls it unsafe if it contains "poison".
So a prompt that loses the answer, or lets it imitate the template, gives a wrong verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from libra.judge.judge_factory import build_judge
from libra.judge.judge_result import JudgeResult
from libra.judge.judge_type import DEFAULT_SETTINGS, JudgeModelReply, JudgeModelSettings
from libra.judge.judged_answer import ChatMessage, JudgedAnswer
from libra.judge.registry import judge_type_named

Reply = str | JudgeModelReply
Script = Callable[[Sequence[ChatMessage]], Reply]

BAD_WORD = "poison"


@dataclass
class GuardModel:
    """Replies to each conversation by its script and records the requests."""

    script: Script
    conversations: list[Sequence[ChatMessage]] = field(default_factory=list)
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    """Model, schema and epoch of each request."""

    settings: list[JudgeModelSettings] = field(default_factory=list)

    async def __call__(
        self,
        model: str,
        conversations: Sequence[Sequence[ChatMessage]],
        *,
        json_schema: str,
        epoch: int,
        settings: JudgeModelSettings = DEFAULT_SETTINGS,
    ) -> list[JudgeModelReply]:
        self.requests.append((model, json_schema, epoch))
        self.settings.append(settings)
        self.conversations += conversations
        replies = [self.script(conversation) for conversation in conversations]
        return [reply if isinstance(reply, JudgeModelReply) else JudgeModelReply(reply) for reply in replies]


async def judged(name: str, model: GuardModel, *answers: JudgedAnswer, **options: str) -> list[JudgeResult]:
    judge = build_judge(judge_type_named(name), {"model": "guard-1", **options})
    return await judge.answer_judge.judge(answers, model)


def answer_to(request: str, text: str, **fields: str) -> JudgedAnswer:
    return JudgedAnswer(text, (ChatMessage("user", request),), fields)


def last_part(text: str, start: str, end: str) -> str:
    """Return what a template puts between its last `start` and the `end` after it."""
    found = text.rpartition(start)[2] if start in text else ""
    assert found, f"{start!r} is not in the prompt"
    return found.partition(end)[0]


def assistant_turn(conversation: Sequence[ChatMessage]) -> str:
    """Return the last turn, as a server's template does; such templates refuse turns that do not alternate."""
    roles = [message.role for message in conversation]
    assert roles == ["user", "assistant"] * (len(roles) // 2), roles
    return conversation[-1].content


def is_bad(text: str) -> bool:
    return BAD_WORD in text.lower()


def llama_guard(conversation: Sequence[ChatMessage]) -> str:
    if len(conversation) == 1:
        body = last_part(conversation[0].content, "<BEGIN CONVERSATION>\n", "<END CONVERSATION>")
        text = last_part(body, "\nAgent:", "\0")
    else:
        text = assistant_turn(conversation)
    return "unsafe\nS1,S9" if is_bad(text) else "safe"


def qwen3guard(conversation: Sequence[ChatMessage]) -> str:
    if len(conversation) == 1:
        body = last_part(conversation[0].content, "<BEGIN CONVERSATION>\n", "<END CONVERSATION>")
        text = last_part(body, "\nASSISTANT:", "\0")
    else:
        text = assistant_turn(conversation)
    safety, categories = ("Unsafe", "Violent, Non-violent Illegal Acts") if is_bad(text) else ("Safe", "None")
    return f"Safety: {safety}\nCategories: {categories}\nRefusal: {'No' if is_bad(text) else 'Yes'}"


def wildguard(conversation: Sequence[ChatMessage]) -> str:
    (turn,) = conversation
    text = last_part(turn.content, "\nAI assistant:\n", "\n---\n")
    return f"Harmful request: yes\nResponse refusal: no\nHarmful response: {'yes' if is_bad(text) else 'no'}"


def shieldgemma(conversation: Sequence[ChatMessage]) -> str:
    if len(conversation) == 1:
        prompt = conversation[0].content
        text = last_part(prompt, "<start_of_turn>\nChatbot Response:", "<end_of_turn>")
        return "Yes, it does." if is_bad(text) and '* "No Dangerous' in prompt else "No\n\nThe principle is respected."
    return "Yes" if is_bad(assistant_turn(conversation)) else "No"


def granite_4(conversation: Sequence[ChatMessage]) -> str:
    *exchange, block = conversation
    assert block.content.startswith("<guardian>"), block.content
    criterion = last_part(block.content, "### Criteria:", "### Scoring Schema:")
    found = is_bad(assistant_turn(exchange)) and ("harm" in criterion or "evil" in criterion)
    return f"<think>\n</think>\n<score> {'yes' if found else 'no'} </score>"


def granite_3(conversation: Sequence[ChatMessage]) -> str:
    if len(conversation) == 1:
        text = last_part(conversation[0].content, "\nAssistant Message:", "<end_of_turn>")
    else:
        text = assistant_turn([turn for turn in conversation if turn.role != "system"])
    return f"{'Yes' if is_bad(text) else 'No'}\n<confidence> High </confidence>"


def harmbench(conversation: Sequence[ChatMessage]) -> str:
    text = last_part(conversation[-1].content, "\nGeneration:\n", "\n---\n")
    return "Yes" if is_bad(text) else "No"


def _marked(text: str, name: str) -> str:
    found = re.search(rf"<<<{name} (\w{{16}})\n(.*?)\n{name} \1>>>", text, re.DOTALL)
    assert found
    return found.group(2)


def gpt_oss_safeguard(conversation: Sequence[ChatMessage]) -> str:
    policy, content = conversation
    assert policy.role == "system"
    text = last_part(_marked(content.content, "conversation"), "\n[assistant]:", "\0")
    violation = '{"violation": 1, "policy_category": "iwp", "rationale": "It names a poison."}'
    verdict = violation if is_bad(text) else '{"violation": 0, "policy_category": null, "rationale": "Fine."}'
    analysis = "<|channel|>analysis<|message|>Let me see: poison?<|end|>"
    return f"{analysis}<|start|>assistant<|channel|>final<|message|>{verdict}"


def strongreject(conversation: Sequence[ChatMessage]) -> str:
    text = _marked(conversation[-1].content, "answer")
    grades = (0, 4, 5) if is_bad(text) else (1, 1, 1)
    lines = "\n".join(f"{number}.a Because.\n{number}.b {grade}" for number, grade in enumerate(grades, 1))
    return f"#overall_reasoning It wants 2.b things.\n#scores\n{lines}"


GUARDS: list[tuple[str, dict[str, str], Script]] = [
    ("llama_guard", {}, llama_guard),
    ("llama_guard", {"form": "prompt"}, llama_guard),
    ("llama_guard", {"form": "prompt", "version": "3"}, llama_guard),
    ("qwen3guard", {}, qwen3guard),
    ("qwen3guard", {"form": "prompt"}, qwen3guard),
    ("wildguard", {}, wildguard),
    ("wildguard", {"form": "chat"}, wildguard),
    ("shieldgemma", {}, shieldgemma),
    ("shieldgemma", {"form": "chat"}, shieldgemma),
    ("granite_guardian", {}, granite_4),
    ("granite_guardian", {"think": "yes"}, granite_4),
    ("granite_guardian", {"form": "chat"}, granite_3),
    ("granite_guardian", {"form": "prompt"}, granite_3),
    ("harmbench", {}, harmbench),
    ("harmbench", {"form": "chat"}, harmbench),
    ("gpt_oss_safeguard", {}, gpt_oss_safeguard),
    ("strongreject", {}, strongreject),
]
"""Every guard in every form, with its scripted model."""

IDS = [f"{name}-{'-'.join(options.values()) or 'default'}" for name, options, _ in GUARDS]
