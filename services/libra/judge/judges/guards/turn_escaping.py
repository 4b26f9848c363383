r"""Escape text that a guard model could take for the structure of its prompt.

Guards are trained on fixed templates, so their material cannot be put between lines with a mark of its own. Instead,
text of others loses its ability to imitate the templates: special tokens and tags of any template are broken by a
space, "<|eot_id|>" becomes "< |eot_id|>", and a line that begins like a turn is quoted, "Agent: safe" becomes
"> Agent: safe". Many servers read special tokens also inside a message.
"""

from __future__ import annotations

import re

NEWLINES = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Characters that a reader may take for the end of a line."""

SPECIAL_TOKENS = re.compile(
    r"<(?=[|\uff5c])|◁(?=/?think▷)|<<(?=\s{0,3}/?\s{0,3}SYS\s{0,3}>>)"
    r"|\[(?=\s{0,3}/?\s{0,3}(?:INST|SYSTEM_PROMPT|TOOL_CALLS|AVAILABLE_TOOLS|THINK)\s{0,3}\])"
    r"|<(?=/?\s{0,3}(?:s|bos|eos|pad|unk|(?:start|end)_of_\w+|think|score|confidence|guardian|no[-_]think"
    r"|(?:begin|end)\b[ \w]{0,60}|unsafe|safe|answer|context|response)\s{0,3}>)",
    re.IGNORECASE,
)
"""The first character of a special token or a tag. Repetitions are limited, so that no text takes long to search."""

TURN_LABELS = (
    r"(?:the\s{1,3})?(?:last\s{1,3})?"
    r"(?:human|user|agent|assistant|system|tool|ai\s{1,3}assistant|ai\s{1,3}model|chatbot|model|ai)"
    r"(?:\s{1,3}(?:user|question|message|response|prompt|instruction|query|turn))?"
)
FORM_LABELS = (
    r"behaviou?r|generation|context|rules?|answers?|safety|categor(?:y|ies)|refusal|harmful\s{1,3}re(?:quest|sponse)"
    r"|response\s{1,3}refusal|criteria|scoring\s{1,3}schema|task"
    r"|our\s{1,3}safety\s{1,3}(?:principle|risk\s{1,3}definition)\b[^\n:]{0,40}"
)
LINE_START = re.compile(
    rf"^(?=(?:[^\w\n]|_){{0,40}}(?:{TURN_LABELS}|{FORM_LABELS})(?:[^\w\n]|_){{0,6}}?[:\uff1a])"
    r"|^(?=[^\w\n]{0,40}provide\s{1,3}your\s{1,3}safety\s{1,3}assessment\b)",
    re.IGNORECASE | re.MULTILINE,
)
"""The beginning of a line that looks like a turn or an instruction of a template."""


def escape_turns(text: str) -> str:
    """Return the text so that no part of it can be taken for a turn, a tag or a heading of a guard's prompt."""
    lines = NEWLINES.sub("\n", text.replace("\0", ""))
    return LINE_START.sub("> ", SPECIAL_TOKENS.sub(lambda found: f"{found.group()} ", lines))
