"""Classifies what came back, in the same words for all providers: finish reasons, and bodies that report a block."""

from __future__ import annotations

from dataclasses import dataclass, field

from libra.gateway.provider.response.dialects import (
    ABOUT_ACCOUNT,
    ABOUT_INPUT,
    ABOUT_OUTPUT,
    ABOUT_PARAMETERS,
    BLOCK_CODES,
    BLOCK_TOKEN,
    FAILED_CHECK,
    FINISH_CLASSES,
    SAFETY_WORDS,
)
from libra.gateway.provider.response.quoted_json import objects_and_texts
from libra.v1.completion_pb2 import (
    RESPONSE_CLASS_BLOCKED_INPUT,
    RESPONSE_CLASS_BLOCKED_OUTPUT,
    RESPONSE_CLASS_UNSPECIFIED,
    ResponseClass,
)

MAX_CATEGORY_CHARACTERS = 100
CODE_KEYS = frozenset({"code", "type", "status", "error_code", "reason", "finishReason"})
BLOCK_REASON_KEYS = ("blockReason", "block_reason")
PROMPT_SOURCES = frozenset({"prompt", "input"})
SAFE_NAMES = frozenset({"custom_blocklists", "details"})


@dataclass(frozen=True, slots=True)
class Block:
    """A block by the provider, with its own terms."""

    response_class: ResponseClass.ValueType
    category: str
    words: str
    """The innermost message, whole."""


@dataclass(slots=True)
class BlockEvidence:
    """The evidence of a block in a response."""

    codes: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    is_input: bool = False
    is_output: bool = False

    def add_object(self, name: str, found: dict[str, object]) -> None:
        """Add the flags, categories and sources of one object."""
        if found.get("filtered") is True and name not in SAFE_NAMES:
            self.categories.append(name)
        if found.get("blocked") is True and isinstance(category := found.get("category"), str):
            self.categories.append(category)
        for key in BLOCK_REASON_KEYS:
            reason = found.get(key)
            if isinstance(reason, str) and reason and "UNSPECIFIED" not in reason:
                self.categories.append(reason)
                self.is_input = True
        if name == "stop_details" and isinstance(category := found.get("category"), str):
            self.categories.append(category)
        self._add_flags(name, found)
        source = found.get("source_type")
        if found.get("blocked") is True and isinstance(source, str):
            self.is_input, self.is_output = source in PROMPT_SOURCES, source not in PROMPT_SOURCES
        if "prompt_filter_results" in found or "inputAssessment" in found:
            self.is_input = True

    def _add_flags(self, name: str, found: dict[str, object]) -> None:
        """Add what guardrails of proxies say: Databricks, Portkey and MiniMax."""
        if found.get("flagged") is True and isinstance(categories := found.get("categories"), dict):
            self.categories += [category for category, is_flagged in categories.items() if is_flagged is True]
        if found.get("verdict") is False:
            self.is_output = self.is_output or name == "after_request_hooks"
        for flag in ("input_sensitive", "output_sensitive"):
            if found.get(flag) is True:
                self.categories.append(flag)
                self.is_input, self.is_output = flag == "input_sensitive", flag == "output_sensitive"

    def add_text(self, name: str, text: str) -> None:
        """Add one text of an error, under its key."""
        if name in ("message", "explanation") and text.strip():
            self.messages.append(text)
        if name in CODE_KEYS:
            self.codes.append(text)
        if name == "reasons":
            self.categories.append(text)
        self.texts.append(text)

    def block_code(self, *, in_sentences: bool) -> str:
        """Return the code that reports a block; "" if none does. `in_sentences`: also a code within a sentence."""
        code = next((code for code in self.codes if spelling(code) in BLOCK_CODES), "")
        if code:
            return code
        for text in self.texts if in_sentences else ():
            token = BLOCK_TOKEN.search(text)
            if token and not ABOUT_PARAMETERS.search(text):
                return token[0]
        return ""

    def has_safety_words(self) -> bool:
        """Tell whether a sentence says that the request or the answer is unsafe."""
        whole = " ".join(self.texts)
        return not ABOUT_ACCOUNT.search(whole) and any(SAFETY_WORDS.search(text) for text in self.texts)


def finish_class(value: object) -> ResponseClass.ValueType:
    """Return what a finish reason means; RESPONSE_CLASS_UNSPECIFIED if it is missing or unknown."""
    if not isinstance(value, str):
        return RESPONSE_CLASS_UNSPECIFIED
    known = FINISH_CLASSES.get(value)
    if known is None:
        code = value.partition(":")[0]  # Gemini adds its own word: "content_filter: OTHER"
        known = FINISH_CLASSES.get(spelling(code).removeprefix("finish_reason_"))
    return RESPONSE_CLASS_UNSPECIFIED if known is None else known


def spelling(code: str) -> str:
    """Return a code in small letters with underscores, without the name of its enumeration."""
    return code.strip().rpartition(".")[2].lower().replace("-", "_").replace(" ", "_")


def evidence_of(document: object) -> BlockEvidence:
    """Return what a body says about a block. `document` is JSON, or the text in its place."""
    evidence = BlockEvidence()
    for name, found in objects_and_texts(document):
        if isinstance(found, dict):
            evidence.add_object(name, found)
        else:
            evidence.add_text(name, found)
    return evidence


def reported_block(document: object, *, by_words: bool = True) -> Block | None:
    """Return the block that a body without an answer reports; None if it reports none.

    `by_words`: a sentence suffices; without it, a code or a flagged category is needed.
    """
    evidence = evidence_of(document)
    code = evidence.block_code(in_sentences=by_words)
    if not (code or evidence.categories or (by_words and evidence.has_safety_words())):
        return None
    # A response to a request that was blocked is often called "filtered" too, so the input is looked for first.
    whole = " ".join([*evidence.messages, code] if evidence.messages else evidence.texts)
    is_output = (
        evidence.is_output
        or "output" in code.lower()
        or (not evidence.is_input and not ABOUT_INPUT.search(whole) and bool(ABOUT_OUTPUT.search(whole)))
    )
    return Block(
        RESPONSE_CLASS_BLOCKED_OUTPUT if is_output else RESPONSE_CLASS_BLOCKED_INPUT,
        category_of(evidence, code),
        evidence.messages[-1] if evidence.messages else "",
    )


def category_of(evidence: BlockEvidence, code: str) -> str:
    """Return the provider's categories, or the code or type in their place."""
    named = list(evidence.categories)
    named += [check[1] for text in evidence.texts if (check := FAILED_CHECK.search(text))]
    if not named:
        named = [code] if code else [each for each in evidence.codes if not each.isdecimal()][-1:]
    return ", ".join(dict.fromkeys(named))[:MAX_CATEGORY_CHARACTERS]
