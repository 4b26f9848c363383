"""The terms with which providers say what came back, as data.

Sources: the API references of OpenAI, Azure OpenAI, Anthropic, Gemini, Bedrock, DashScope, DeepSeek, xAI, Mistral,
Zhipu and Volcengine, and public reports on proxies that quote their errors (OpenRouter, LiteLLM).
"""

from __future__ import annotations

import re

from libra.v1.completion_pb2 import (
    RESPONSE_CLASS_ANSWERED,
    RESPONSE_CLASS_BLOCKED_OUTPUT,
    RESPONSE_CLASS_FAILED,
    RESPONSE_CLASS_TOOL_CALLS,
    RESPONSE_CLASS_TRUNCATED,
    ResponseClass,
)

_FINISH_WORDS: dict[ResponseClass.ValueType, str] = {
    RESPONSE_CLASS_ANSWERED: "stop eos eos_token end_turn stop_sequence complete completed",
    RESPONSE_CLASS_TRUNCATED: (
        "length max_tokens max_output_tokens max_completion_tokens max_length model_length"
        " model_context_window_exceeded context_length_exceeded incomplete repetition_truncation"
    ),
    RESPONSE_CLASS_BLOCKED_OUTPUT: (
        "content_filter content_filtered content_filter_error safety prohibited_content recitation blocklist spii"
        " image_safety model_armor guardrail_intervened guardrails refusal refused sensitive error_toxic"
        " data_inspection_failed content_blocked blocked moderation content_moderation"
    ),
    RESPONSE_CLASS_TOOL_CALLS: "tool_calls function_call tool_use",
    RESPONSE_CLASS_FAILED: (
        "error failed network_error insufficient_system_resource malformed_response abort aborted cancelled"
    ),
}

FINISH_CLASSES = {word: response_class for response_class, words in _FINISH_WORDS.items() for word in words.split()}
"""Response classes by finish reason, in small letters with underscores."""

_BLOCK_CODES = """
    content_filter content_filtered content_policy_violation content_policy_violation_error contentfiltererror
    responsibleaipolicyviolation contentpolicyviolationerror data_inspection_failed datainspectionfailed
    guardrail_intervened moderation_blocked content_moderation content_moderation_failed content_blocked
    prohibited_content safety policy_violation unsafe_content sensitive content_filter_violation
    hooks_failed input_guardrail_triggered output_guardrail_triggered
    inputtextsensitivecontentdetected outputtextsensitivecontentdetected cyber_policy_violation
"""
BLOCK_CODES = frozenset(_BLOCK_CODES.split())
"""Error codes and types of a block, in small letters with underscores."""

BLOCK_TOKEN = re.compile(
    r"""\b(?: content_filter(?:ed)? | content_policy_violation | ResponsibleAIPolicyViolation
    | ContentPolicyViolation(?:Error)? | data_?inspection_?failed | guardrail_intervened | PROHIBITED_CONTENT
    | moderation_blocked | (?:Input|Output)(?:Text)?SensitiveContentDetected | SAFETY_CHECK_TYPE_\w+ )\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""The same codes where a proxy quotes them in a sentence."""

ABOUT_PARAMETERS = re.compile(
    r"unsupported|unrecogni[sz]ed|unknown (?:parameter|argument|field)|not supported|extra (?:inputs|fields)",
    re.IGNORECASE,
)
"""A sentence that rejects a parameter; it may name one like a code of a block."""

_SUBJECT = r"""(?: (?:usage|content|safety|use|responsible\ ai|moderation|community|harm\w*)\b [\w\ -]{0,30}
    (?:polic(?:y|ies)|guidelines?|practices|rules|standards|filter\w*|systems?|reasons?|checks?|classifiers?)
    | guardrails? | moderation | inappropriate | unsafe | harmful | (?<!case[-\ ])sensitive
    | jailbreak\w* | prompt\ (?:guard|injection|shield)s? )"""
_VERB = r"(?:flagged|violat\w*|against|block\w*|reject\w*|refus\w*|filtered|trigger\w*|limited\ access|prohibit\w*)"

SAFETY_WORDS = re.compile(
    rf"""\b{_VERB}\b .{{0,120}}? \b{_SUBJECT}\b | \b{_SUBJECT}\b .{{0,80}}? \b{_VERB}\b
    | \b(?:prompt|input|request|content|message|text|response|output|completion)s? \b.{{0,40}}? \b flagged\b
    | blocked\ due\ to\ security\ configurations
    | content\ exists\ risk | considered\ high[\ -]risk | (?:inappropriate|sensitive|unsafe|harmful)\ (?:content|words)
    | 敏感内容 | 不安全 | 敏感信息 | 违规内容 | 内容安全""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""Sentences of a block without a code: a verb of blocking near a term of safety, and set phrases."""

ABOUT_ACCOUNT = re.compile(
    r"""\b(?:account|organi[sz]ation|api\ ?key|project|workspace|user|ip\ address)\b .{0,80}?
    \b(?:suspend\w*|deactivat\w*|disabled|banned|block\w*|flagged|restrict\w*|violat\w*|terminated)
    | unsupported_country | \bbilling\b""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""Sentences about the caller's account, which may name a policy as well."""

ABOUT_INPUT = re.compile(r"\b(?:input|prompt|request|query|message|question)s?\b|InputText|输入", re.IGNORECASE)
ABOUT_OUTPUT = re.compile(r"\b(?:output|generated|completion|response|candidate|answer)s?\b|OutputText", re.IGNORECASE)

CONTEXT_LENGTH = re.compile(
    r"""context.{0,20}(?:length|window|size) | (?:prompt|input)\ is\ too\ long | too\ many\ (?:input\ )?tokens
    | reduce\ the\ length | range\ of\ input\ length | less\ than\ \d+\ tokens | max_new_tokens`?\ must\ be
    | exceeds\ the\ maximum\ number\ of\ tokens""",
    re.IGNORECASE | re.VERBOSE,
)

ECHOED = frozenset({"input", "inputs", "messages", "prompt", "request", "flagged_input", "request_body"})
"""Keys under which an error repeats the request, which says nothing about what came back."""

FAILED_CHECK = re.compile(r"failed check:? (\w+)", re.IGNORECASE)
